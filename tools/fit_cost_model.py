#!/usr/bin/env python3
"""Fits the constants of the cost model to measured speeds, and says how well it predicts families that it never saw.

  fit_cost_model.py MEASURED.csv [--tool build/blobsmith] [-o constants.json] [--no-folds]

MEASURED.csv has the columns blob (path, from the CSV's folder) and fps (measured), and optionally family (networks that
are alike: by default each blob is its own) and streams (executors, by default as many as fit). What -o writes is for
`blobsmith estimate --constants`; docs/performance.md goes through it. Needs numpy.

Least squares of log(estimated / measured time), with a loss that outliers don't dominate. A constant leaves its start,
the shipped value, only at a price: twice its size counts as much as one network 14 % off. So ten networks move the
constants that they say something about, and leave the others.
"""
import argparse
import csv
import json
import os
import re
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
# The chip's clock, host side and ranges; stages that no network has don't move either, their constants have no effect.
FIXED = {'f_nce', 'usb', 'usb2', 'latency_alone', 'range_low', 'range_high', 'other'}
KNEE = 0.12   # of the loss: beyond 12 % an error counts by its size, not by its square
PRICE = 0.2   # residual of a constant that is e times its start: twice its start costs as much as a network 14 % off


def shipped():
    """The table in src/estimate/constants.cpp: the one place where the constants stand."""
    with open(os.path.join(HERE, '..', 'src', 'estimate', 'constants.cpp')) as f:
        return {name: float(value) for name, value in re.findall(r'\{\w+, "(\w+)", ([\d.]+),', f.read())}


class Networks:
    """Measured networks: what their stages do, all stages in one array by kind."""

    def __init__(self, rows, folder, tool):
        self.names, self.families, self.fps, self.streams, self.ddr, self.io = [], [], [], [], [], []
        kinds = {'hw': [], 'copy': [], 'shave': []}
        for i, row in enumerate(rows):
            out = subprocess.run([tool, 'estimate', os.path.join(folder, row['blob']), '--json'], capture_output=True,
                                 text=True)
            if out.returncode:
                sys.exit(f"{row['blob']}: {out.stderr.strip()}")
            blob = json.loads(out.stdout)
            self.names.append(row['blob'])
            self.families.append(row.get('family') or row['blob'])
            self.fps.append(float(row['fps']))
            self.streams.append(int(row.get('streams') or blob['streams']))
            self.ddr.append(blob['ddr_bytes'])
            self.io.append(blob['io_bytes'])
            for s in blob['stages']:
                w = s['work']
                if s['type'] == 'MyriadXHwOp':  # parts.shave: by how much an injected stage takes longer
                    kinds['hw'].append((i, w['cycles'], w['mode_cycles'], w['pool_cycles'], w['weight_bytes'],
                                        w['input_bytes'], w['descriptors'], s['parts']['shave']))
                elif s['type'] == 'Copy':
                    kinds['copy'].append((i, w['bytes'] * max(1, w['ddr_ends']), w['pieces']))
                else:
                    kinds['shave'].append((i, w['elements'] / max(1, s['shaves']), w['ddr_bytes'], w['class']))
        self.families = np.array(self.families)
        self.fps, self.streams, self.ddr, self.io = (np.array(x, float) for x in (self.fps, self.streams, self.ddr,
                                                                                    self.io))
        if not all(self.fps > 0):
            sys.exit('fps: every network needs a measured speed')
        self.hw = np.array(kinds['hw'], float).reshape(-1, 8).T
        self.copy = np.array(kinds['copy'], float).reshape(-1, 3).T
        self.shave = np.array([s[:3] for s in kinds['shave']], float).reshape(-1, 3).T
        self.classes = [s[3] for s in kinds['shave']]

    def times(self, k):
        """Microseconds of an image of every network, with the constants `k` (src/estimate/cost_model.cpp)."""
        def total(at, times):
            return np.bincount(at.astype(int), weights=times, minlength=len(self.fps))

        at, cycles, mode, pool, weights, inputs, descriptors, injected = self.hw
        nce = (cycles + k['mode_k'] * mode + k['pool_k'] * pool) / k['f_nce']
        sums = k['base'] + total(at, k['h_ovh'] + k['d_ovh'] * descriptors + injected +
                                 np.maximum(nce, weights / k['w_bw'] + inputs / k['ind_bw']))
        at, moved, pieces = self.copy
        sums += total(at, k['m_ovh'] + moved / k['dma_bw'] + pieces * k['dma_run'])
        at, elements, ddr = self.shave
        each = np.array([k[c] for c in self.classes])
        sums += total(at, k['s_ovh'] + np.maximum(elements * each, ddr / k['sw_bw']))
        bounds = [sums / self.streams, self.ddr / k['ddr_tot'], self.io / k['usb']]
        return sum(b ** 6 for b in bounds) ** (1 / 6)

    def factors(self, k):
        """Estimated over measured time, or the inverse: how many times off, at least 1."""
        ratio = self.times(k) * self.fps / 1e6
        return np.maximum(ratio, 1 / ratio)


def least_squares(residuals, size):
    """Where the sum of squares is least (Levenberg-Marquardt from 0, derivatives by differences)."""
    x, damping = np.zeros(size), 1e-3
    r = residuals(x)
    for _ in range(200):
        slope = np.array([(residuals(x + 1e-6 * unit) - r) / 1e-6 for unit in np.eye(size)]).T
        normal = slope.T @ slope
        before = r @ r
        while damping < 1e9:
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -slope.T @ r)
            after = residuals(x + step)
            if after @ after < before:
                x, r, damping = x + step, after, damping / 3
                break
            damping *= 4
        if before - r @ r < 1e-9 * before:
            return x
    return x


def fit(networks, start, used=None):
    """Constants that fit the networks `used` (booleans; all)."""
    used = np.ones(len(networks.fps), bool) if used is None else used
    names = [n for n in start if n not in FIXED]
    alike = np.array([np.sum(networks.families[used] == f) for f in networks.families[used]])

    def constants(x):
        return {**start, **{n: start[n] * np.exp(v) for n, v in zip(names, x)}}

    def residuals(x):
        off = np.log(networks.times(constants(x)) * networks.fps / 1e6)[used]
        loss = np.sign(off) * KNEE * np.sqrt(2 * (np.sqrt(1 + (off / KNEE) ** 2) - 1))
        return np.concatenate([loss / np.sqrt(alike), PRICE * x])

    return constants(least_squares(residuals, len(names)))


def report(title, factors):
    median, most = np.median(factors), np.quantile(factors, 0.9)
    print(f'{title}: median factor {median:.3f}, 90 % {most:.3f}, worst {max(factors):.2f} ({len(factors)} networks)')
    return median, most


def cross_validate(networks, start):
    """(median, 90 %) of the factors of every network, predicted by a fit to the other families."""
    factors = np.zeros(len(networks.fps))
    for family in sorted(set(networks.families)):
        own = networks.families == family
        k = fit(networks, start, ~own)
        factors[own] = networks.factors(k)[own]
        ratios = (networks.times(k) * networks.fps / 1e6)[own]
        print(f'  without {family}: estimated / measured time ' + ', '.join(f'{r:.2f}' for r in ratios), flush=True)
    return report('families left out', factors)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('measured')
    ap.add_argument('--tool', default=os.path.join(HERE, '..', 'build', 'blobsmith'))
    ap.add_argument('-o', '--output', help='write the constants here (JSON)')
    ap.add_argument('--no-folds', action='store_true', help='only the fit over all networks')
    ap.add_argument('--limits', type=float, nargs=2, metavar=('MEDIAN', 'MOST'),
                    help='fail where families left out are further off: median factor, factor of nine in ten')
    a = ap.parse_args()
    with open(a.measured, newline='') as f:
        networks = Networks(list(csv.DictReader(f)), os.path.dirname(os.path.abspath(a.measured)), a.tool)
    if not len(networks.fps):
        sys.exit(f'{a.measured} has no networks')
    start = shipped()
    report('constants as shipped', networks.factors(start))
    fitted = fit(networks, start)
    report('fitted to all', networks.factors(fitted))
    left_out = (0, 0)
    if not a.no_folds and len(set(networks.families)) > 1:
        left_out = cross_validate(networks, start)
    for name, value in fitted.items():
        if name not in FIXED:
            print(f'{name:14} {start[name]:12.5g} -> {value:.5g}')
    if a.output:
        with open(a.output, 'w') as f:
            json.dump(fitted, f, indent=1)
    return 1 if a.limits and (left_out[0] > a.limits[0] or left_out[1] > a.limits[1]) else 0


if __name__ == '__main__':
    sys.exit(main())
