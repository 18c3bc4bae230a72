#!/usr/bin/env python3
"""A conversion through the service: started, asked, stopped. Its blob must be the one that the command writes.

  service.py --tool build/blobsmith --work build/demo
"""
import argparse
import json
import os
import subprocess
import sys
import time

import requests

from demo import CLASSIFIER, call, fetch

OPTIONS = {'input_precision': 'FP16', 'input_shapes': {'x': [1, 3, 48, 192]}}


def converted(url, model):
    with open(model, 'rb') as f:
        job = requests.post(url + '/api/v1/jobs', files={'file': (os.path.basename(model), f)}, data={'options': json.dumps(OPTIONS)}).json()
    while job.get('state') in ('queued', 'running'):
        time.sleep(0.05)
        job = requests.get(f"{url}/api/v1/jobs/{job['id']}").json()
    answer = requests.get(f"{url}/api/v1/jobs/{job.get('id')}/result")
    return answer.content if answer.ok else json.dumps(job).encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--tool', required=True)
    parser.add_argument('--work', required=True)
    a = parser.parse_args()
    model, blob = fetch(*CLASSIFIER, a.work), os.path.join(a.work, 'command.blob')
    call(a.tool, 'convert', model, '-o', blob, '--ip', 'FP16', '--input-shape', 'x=1,3,48,192')
    server = subprocess.Popen([a.tool, 'serve', '--port', '0', '--data', os.path.join(a.work, 'service')], stdout=subprocess.PIPE, text=True)
    try:
        print(server.stdout.readline(), end='')
        url = server.stdout.readline().strip().rstrip('/')
        start = time.time()
        through_service = converted(url, model)
        seconds = time.time() - start
    finally:
        server.terminate()
        server.wait(20)
    with open(blob, 'rb') as f:
        same = f.read() == through_service
    print(f'through the service in {seconds:.2f} s: {len(through_service)} bytes,', 'as the command writes them' if same else 'NOT as the command writes them')
    print('start it yourself: blobsmith serve --port 8000 --data data    (page, API and the routes of blobconverter: http://localhost:8000)')
    print('service: as expected' if same else 'service: NOT as expected')
    sys.exit(0 if same else 1)


if __name__ == '__main__':
    main()
