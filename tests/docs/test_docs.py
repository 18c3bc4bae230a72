"""The documents say what the tree says."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def sources():
    for folder, _, files in os.walk(os.path.join(ROOT, 'src')):
        for f in files:
            yield os.path.relpath(os.path.join(folder, f), ROOT)


def read(path):
    with open(os.path.join(ROOT, path)) as f:
        return f.read()


def test_every_quirk_is_listed():
    listed = set(re.findall(r'`(src/[\w/.]+)`', read('docs/quirks.md')))
    remarked = {p for p in sources() if 'quirk:' in read(p)}
    assert remarked <= listed, sorted(remarked - listed)
    assert all(os.path.exists(os.path.join(ROOT, p)) for p in listed)


def test_known_faults_are_listed():
    rows = re.findall(r'"([^"]+)", (?:true|false)\}', read('src/compare/known_faults.cpp'))
    assert len(rows) >= 9
    assert not [r for r in rows if r not in read('docs/quirks.md')]


def test_links_lead_somewhere():
    for document in ('README.md', *(f'docs/{f}' for f in os.listdir(os.path.join(ROOT, 'docs')) if f.endswith('.md'))):
        for link in re.findall(r'\]\(([^)#:]+)\)', read(document)):
            assert os.path.exists(os.path.join(ROOT, os.path.dirname(document), link)), f'{document}: {link}'


def test_rooms_are_described():
    design = read('docs/design.md')
    for path in sources():
        room = os.path.dirname(path)
        assert any(f'`{"/".join(room.split("/")[:n])}`' in design for n in range(2, 6)), room


def test_no_file_is_too_long():
    assert not [p for p in sources() if read(p).count('\n') > 800]


def test_every_error_code_is_explained():
    codes = set(re.findall(r'^  \w+ = (\d{4}),', read('src/core/error.hpp'), re.M))
    assert codes and codes == set(re.findall(r'^\| BS(\d{4}) ', read('docs/errors.md'), re.M))
