"""The documents say what the tree says."""
import os
import re
import subprocess
import sys

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


def test_links_lead_somewhere():
    for document in ('README.md', 'HACKING.md', 'CONTRIBUTING.md', 'SECURITY.md', 'tests/README.md', *(f'docs/{f}' for f in os.listdir(os.path.join(ROOT, 'docs')) if f.endswith('.md'))):
        for link in re.findall(r'\]\(([^)#:]+)\)', read(document)):
            assert os.path.exists(os.path.join(ROOT, os.path.dirname(document), link)), f'{document}: {link}'


def test_make_targets_are_described():
    targets = re.search(r'^\.PHONY: (.*)$', read('Makefile'), re.M)[1].split()
    assert not [t for t in targets if f'\n| `{t}` |' not in read('README.md')]


def test_rooms_are_described():
    design = read('docs/design.md')
    for path in sources():
        room = os.path.dirname(path)
        assert any(f'`{"/".join(room.split("/")[:n])}`' in design for n in range(2, 6)), room


def test_rooms_include_what_they_link():
    """Each room(...) of CMakeLists.txt names the rooms whose headers its files may include."""
    rooms = {}
    for name, used in re.findall(r'^room\(([^\s)]+)([^)]*)\)', read('CMakeLists.txt'), re.M):
        rooms[name] = {u for u in used.split() if os.path.isdir(os.path.join(ROOT, 'src', u))}
        assert rooms[name] <= set(rooms), f'{name}: links a room that comes later'

    def room_of(path):
        return max((r for r in rooms if path.startswith(f'src/{r}/')), key=len, default='')

    found = {}
    for path in sources():
        for include in re.findall(r'#include "([^"]+)"', read(path)):
            if os.path.exists(os.path.join(ROOT, 'src', include)):
                found.setdefault((room_of(path), room_of(f'src/{include}')), path)
    assert len(rooms) > 10
    assert not {pair: path for pair, path in found.items() if pair[0] and pair[1] not in rooms[pair[0]] | {pair[0]}}


def test_the_command_line_uses_the_library_as_guests_do():
    for path in sources():
        if path.startswith('src/cli/'):
            foreign = [i for i in re.findall(r'#include "([^"]+)"', read(path)) if not i.startswith(('cli/', 'blobsmith/', 'reports/'))]
            assert not foreign, (path, foreign)


def test_the_node_counter_has_one_home():
    """Others tell graph/numbering what the reference makes; a rewriter shares the counter with the bodies of loops."""
    assert not [p for p in sources() if re.search(r'\bnext_id\b', re.sub(r'//.*', '', read(p))) and not p.startswith(('src/graph/', 'src/transforms/rewriter/'))]


def test_every_fault_of_later_rooms_has_its_row():
    names = re.findall(r'^  (\w+),', read('src/core/fault.hpp'), re.M)
    names.remove('None')
    table = read('src/transforms/faults/fault_table.cpp')
    assert names and all(table.count(f'Fault::{n}}}') == 1 for n in names)
    used = ''.join(read(p) for p in sources() if p.startswith('src/vpu/'))
    assert all(f'Fault::{n})' in used for n in names)


def test_no_file_is_too_long():
    assert not [p for p in sources() if read(p).count('\n') > 800]


def test_every_error_code_is_explained():
    codes = set(re.findall(r'^  \w+ = (\d{4}),', read('include/blobsmith/error.hpp'), re.M))
    assert codes and codes == set(re.findall(r'^\| BS(\d{4}) ', read('docs/errors.md'), re.M))


def specifications():
    """Of each document of docs/reference: the numbers of its headings, and of the points of its lists ("1.3": point 3 of section 1)."""
    for f in os.listdir(os.path.join(ROOT, 'docs', 'reference')):
        numbers, section = set(), ''
        for line in read(f'docs/reference/{f}').splitlines():
            if heading := re.match(r'#+ (?:Appendix )?([0-9A-Z]+(?:\.[0-9]+)*)[. ]', line):
                section = heading[1]
                numbers.add(section)
            elif point := re.match(r'(\d+)\. ', line):
                numbers.add(f'{section}.{point[1]}')
        yield f.removesuffix('.md'), numbers


def test_cited_sections_exist():
    """A § belongs to the specification named last before it, else to the first one that the file names."""
    known = dict(specifications())
    assert len(known) >= 9
    token = re.compile(r'\b(' + '|'.join(known) + r')(?:\.md)?(?: spec)?,? (?=§)|§ ?([0-9A-Z]+(?:\.[0-9]+)*)')
    dead, cited = [], 0
    for folder in ('src', 'include', 'tests', 'docs', 'fuzz'):
        for base, _, files in os.walk(os.path.join(ROOT, folder)):
            for f in files:
                path = os.path.relpath(os.path.join(base, f), ROOT)
                if not f.endswith(('.cpp', '.hpp', '.py', '.md')) or 'docs/reference' in path or path == 'tests/docs/test_docs.py':
                    continue
                text = re.sub(r'\n\s*(?://+|#)\s*', ' ', read(path))
                named = re.search(r'\b(' + '|'.join(known) + r')\b', text)
                spec = named and named[1]
                for m in token.finditer(text):
                    if m[1]:
                        spec = m[1]
                    else:
                        cited += 1
                        dead += [] if spec and m[2] in known[spec] else [f'{path}: {spec} §{m[2]}']
    assert cited > 300 and not dead, dead


def test_measured_speeds_are_those_of_the_data():
    tool = os.path.join(ROOT, 'tools', 'performance_doc.py')
    done = subprocess.run([sys.executable, tool, '--check'], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
