#!/usr/bin/env python3
"""Fits the constants of the cost model to measured speeds, and says how well it predicts families that it never saw.

  fit_cost_model.py MEASURED.csv [--tool build/blobsmith] [-o constants.json] [--no-folds]

MEASURED.csv has the columns blob (path), fps (measured), and optionally family (networks that are alike: default the
blob's name) and streams (executors, default as many as fit). The result is for `blobsmith estimate --constants`.
Least squares of log(estimated / measured time) with a loss that outliers don't dominate; every constant may leave its
start only at a price (5 % of its size counts as much as one network 12 % off). Needs numpy and scipy.
"""
import argparse
import csv
import json
import os
import re
import subprocess

import numpy as np
from scipy.optimize import least_squares

HERE = os.path.dirname(os.path.abspath(__file__))
FIXED = {'f_nce', 'usb', 'usb2', 'latency_alone', 'range_low', 'range_high', 'other', 'swpool'}
KNEE, PRIOR = 0.12, 0.05


def shipped():
    """The table in src/estimate/constants.cpp: the one place where the constants stand."""
    text = open(os.path.join(HERE, '..', 'src', 'estimate', 'constants.cpp')).read()
    return {name: float(value) for name, value in re.findall(r'\{\w+, "(\w+)", ([\d.]+),', text)}


class Network:
    """What the stages of one blob do, as arrays, and its measured speed."""

    def __init__(self, row, folder, tool):
        path = os.path.join(folder, row['blob'])
        out = subprocess.run([tool, 'estimate', path, '--json'], check=True, capture_output=True, text=True).stdout
        blob = json.loads(out)
        self.name, self.fps = row['blob'], float(row['fps'])
        self.family = row.get('family') or os.path.basename(row['blob'])
        self.streams = int(row.get('streams') or blob['streams'])
        self.ddr_bytes, self.io_bytes = blob['ddr_bytes'], blob['io_bytes']
        self.kinds = {'hw': [], 'copy': [], 'shave': []}
        for s in blob['stages']:
            kind = 'hw' if s['type'] == 'MyriadXHwOp' else 'copy' if s['type'] == 'Copy' else 'shave'
            self.kinds[kind].append((s['work'], max(1, s['shaves']), s['parts']))

    def time(self, k):
        """Microseconds of an image."""
        total = k['base']
        for w, _, parts in self.kinds['hw']:
            nce = (w['cycles'] + k['mode_k'] * w['mode_cycles'] + k['pool_k'] * w['pool_cycles']) / k['f_nce']
            ddr = w['weight_bytes'] / k['w_bw'] + w['input_bytes'] / k['ind_bw']
            total += k['h_ovh'] + k['d_ovh'] * w['descriptors'] + max(nce, ddr) + parts['shave']
        for w, _, _ in self.kinds['copy']:
            total += k['m_ovh'] + w['bytes'] * max(1, w['ddr_ends']) / k['dma_bw'] + w['pieces'] * k['dma_run']
        for w, shaves, _ in self.kinds['shave']:
            total += k['s_ovh'] + max(w['elements'] * k[w['class']] / shaves, w['ddr_bytes'] / k['sw_bw'])
        bounds = [total / self.streams, self.ddr_bytes / k['ddr_tot'], self.io_bytes / k['usb']]
        return sum(b ** 6 for b in bounds) ** (1 / 6)


def fit(networks, start):
    names = [n for n in start if n not in FIXED]
    sizes = {n.family: sum(m.family == n.family for m in networks) for n in networks}

    def constants(x):
        return {**start, **{n: start[n] * np.exp(v) for n, v in zip(names, x)}}

    def residuals(x):
        k = constants(x)
        off = [np.log(n.time(k) * n.fps / 1e6) for n in networks]
        loss = np.sign(off) * KNEE * np.sqrt(2 * (np.sqrt(1 + (np.array(off) / KNEE) ** 2) - 1))
        weights = np.array([sizes[n.family] ** -0.5 for n in networks])
        return np.concatenate([loss * weights, PRIOR * x])

    return constants(least_squares(residuals, np.zeros(len(names)), x_scale=0.1).x)


def factor(network, k):
    ratio = network.time(k) * network.fps / 1e6
    return max(ratio, 1 / ratio)


def report(title, factors):
    print(f'{title}: median factor {np.median(factors):.3f}, 90 % {np.quantile(factors, 0.9):.3f}, '
          f'worst {max(factors):.2f} ({len(factors)} networks)')


def cross_validate(networks, start):
    factors = []
    for family in sorted({n.family for n in networks}):
        k = fit([n for n in networks if n.family != family], start)
        own = [factor(n, k) for n in networks if n.family == family]
        print(f'  without {family}: ' + ', '.join(f'{f:.2f}' for f in own), flush=True)
        factors += own
    report('families left out', factors)
    return factors


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('measured')
    ap.add_argument('--tool', default=os.path.join(HERE, '..', 'build', 'blobsmith'))
    ap.add_argument('-o', '--output')
    ap.add_argument('--no-folds', action='store_true', help='only the fit over all networks')
    a = ap.parse_args()
    with open(a.measured, newline='') as f:
        networks = [Network(row, os.path.dirname(os.path.abspath(a.measured)), a.tool) for row in csv.DictReader(f)]
    start = shipped()
    report('constants as shipped', [factor(n, start) for n in networks])
    fitted = fit(networks, start)
    report('fitted to all', [factor(n, fitted) for n in networks])
    if not a.no_folds:
        cross_validate(networks, start)
    for name, value in fitted.items():
        print(f'{name:14} {start[name]:12.5g} -> {value:.5g}')
    if a.output:
        with open(a.output, 'w') as f:
            json.dump(fitted, f, indent=1)


if __name__ == '__main__':
    main()
