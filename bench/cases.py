# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make bench` measures, and the goals.

A command is one string. Its first word, where it is vmview or a program of bench/, is taken from
the build; {pid} is the target, {pids} the target and its children. Sizes are bytes.
"""
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Generator:
    """A target process: what to start, and what the machine must have for it."""
    command: str
    memory_gib: float = 0.5
    mappings: int = 0           # raise vm.max_map_count above this while it starts
    huge_bytes: int = 0         # must have come out as huge pages


@dataclass(frozen=True)
class Against:
    """Compare a case's command with another one, run by run: at most so many times its cost."""
    command: str
    at_most: float | None = None
    metric: str = 'cpu'         # or wall: that counts only on a quiet machine
    rounds: int | None = None   # fewer than usual, for what takes long


@dataclass(frozen=True)
class Absolute:
    metric: str                 # cpu or wall
    at_most_ms: float


@dataclass(frozen=True)
class Peak:
    """Peak memory above that of an empty process: at most so much, and so much for each row."""
    at_most: int
    per_row: float = 0
    rows: int = 0


@dataclass(frozen=True)
class Case:
    name: str
    about: str
    generator: str | None
    command: str
    goals: tuple
    rows: int = 0               # the output has at least so many rows: else it did not do its work
    before: tuple = ()          # commands that are run first; {tmp} is a directory for all of them


@dataclass(frozen=True)
class Reader:
    """Who reads the target in a loop, and how long its mmap() may wait for that."""
    command: str                # empty: nobody
    p999_ms: float | None = None
    max_ms: float | None = None


@dataclass(frozen=True)
class Stall:
    name: str
    about: str
    generator: str
    readers: tuple


@dataclass(frozen=True)
class Slowdown:
    """What a fault of the target costs it with the work around it, while the command watches."""
    name: str
    about: str
    generator: str
    command: str                # {seconds}: how long a round is
    at_most: float              # times what it costs while nobody does


GENERATORS = {
    'faults-100k': Generator('faulter 100000'),
    'faults-storm': Generator('faulter -t 2 10000000'),
    'small': Generator('manyvmas -0 1'),
    'vmas-1k': Generator('manyvmas 1000'),
    'vmas-60k': Generator('manyvmas 60000'),
    'vmas-file-60k': Generator('manyvmas -f libc 60000'),
    'vmas-500k': Generator('manyvmas 500000', 3, mappings=500000),
    'vmas-65k-probe': Generator('manyvmas -P 65000', 1),
    'big-8g': Generator('bigrss 8g', 8.5),
    'big-8g-random': Generator('bigrss -R 8g', 8.5),
    'big-8g-huge': Generator('bigrss -H 8g', 8.5, huge_bytes=8 << 30),
    'big-8g-probe': Generator('bigrss -P 8g', 8.5),
    'chunks-1g': Generator('chunks 1g', 1.2),
    'sparse-1t': Generator('sparse 1t'),
    'sparse-20t': Generator('sparse 20t'),
    'sparse-20t-few': Generator('sparse -n 64 20t'),
    'sparse-64t': Generator('sparse 64t'),
    'procs-50': Generator('manyprocs -l 50', 1),
    'procs-500': Generator('manyprocs -l 500', 3),
    'procs-2000': Generator('manyprocs -l 2000', 8),
    'libs-300': Generator('manylibs 300'),
    'forktree': Generator('forktree -g 1g -p 10 32', 5),
}

STREAMING = Peak(4 * MIB)

# Generators with many mappings or much memory: how many rows, and rounds for what takes long.
MAP_TARGETS = (
    ('1k', 'vmas-1k', 1000, None),
    ('60k', 'vmas-60k', 60000, None),
    ('500k', 'vmas-500k', 500000, 3),
    ('8g', 'big-8g', 20, None),
    ('file-60k', 'vmas-file-60k', 60000, None),
)


def pmap_goals(size, rounds):
    """pmap beside ours; with goals where the mappings are many."""
    many = size in ('60k', '500k')
    return (Against('pmap -x {pid}', 1 / 1.8 if many else None, rounds=rounds),
            Against('pmap -X {pid}', 1 / 4.5 if many else None, rounds=rounds))


def map_cases():
    # With 1,000 mappings the program's start counts as much as its work: no goal but start-up's.
    smaps = {'1k': None, '60k': 1.15, '500k': 1.15, '8g': 1.05, 'file-60k': 1.15}
    for size, target, rows, rounds in MAP_TARGETS:
        small = size == '1k'
        yield Case(f'map-{size}', 'the default table', target, 'vmview map --pace fast {pid}',
                   (Against('readloop smaps {pid}', smaps[size]), *pmap_goals(size, rounds),
                    STREAMING), rows)
        yield Case(f'json-{size}', 'JSON of every field', target,
                   'vmview map --json --pace fast {pid}',
                   (Against('readloop smaps {pid}', None if small else 1.20), STREAMING), rows)
        yield Case(f'list-{size}', 'a list without smaps columns', target,
                   'vmview map -o address,size,perm,name {pid}',
                   (Against('readloop maps {pid}', None if small or size == '8g' else 1.25),
                    Against('pmap {pid}', rounds=rounds), STREAMING), rows)
        yield Case(f'total-{size}', 'totals alone', target,
                   'vmview map --total --pace fast {pid}',
                   (Against('readloop smaps_rollup {pid}', None if small else 1.2), STREAMING))
    yield Case('html-60k', 'a page with all that JSON has', 'vmas-60k',
               'vmview map --html --pace fast {pid}',
               (Against('vmview map --json --pace fast {pid}', 1.1), Peak(5 * MIB)), 60000)
    yield Case('diff-60k', 'two recordings', 'vmas-60k', 'vmview diff {tmp}/1 {tmp}/2',
               (Absolute('cpu', 300), Peak(2 * MIB, 300, 2 * 60000)),
               before=('vmview record {tmp}/1 {pid}', 'vmview record {tmp}/2 {pid}'))
    yield Case('map-pace', 'what the default pace costs', 'vmas-60k', 'vmview map {pid}',
               (Against('vmview map --pace fast {pid}', 1.2),
                Against('vmview map --pace fast {pid}', metric='wall')), 60000)
    yield Case('sorted-500k', 'the table, sorted', 'vmas-500k',
               'vmview map --sort -rss --pace fast {pid}',
               (Against('readloop smaps {pid}'), Peak(4 * MIB, 300, 500000)), 500000)
    yield Case('start', 'start-up, on a process of few mappings', 'small', 'vmview map {pid}',
               (Absolute('wall', 1.3), Against('pmap {pid}', 1.3 / 2.0, 'wall'),
                Against('pmap -x {pid}', metric='wall'), Against('readloop smaps {pid}'),
                Against('true', metric='wall')), 10)


def pages_cases():
    """Frames. "every" reads as page-types -p does: see readloop.c."""
    summary = 'vmview pages --summary --pace fast {pid}'
    bounded = Peak(16 * MIB)
    yield Case('pages-8g', '8 GiB of 4 KiB pages', 'big-8g', summary,
               (Against('readloop frames {pid}', 1.3), Against('readloop every {pid}'), bounded))
    yield Case('pages-8g-random', 'the same, frames at random', 'big-8g-random', summary,
               (Against('readloop frames {pid}', 1.3), Against('readloop every {pid}'), bounded))
    yield Case('pages-8g-huge', '8 GiB of huge pages', 'big-8g-huge', summary,
               (Against('readloop every {pid}', 1 / 50), Against('readloop huge {pid}'), bounded))
    yield Case('pages-1t', '1 TiB reserved, 4096 pages', 'sparse-1t', summary,
               (Against('readloop every {pid}', 1 / 30), Against('readloop frames {pid}', 1.3),
                bounded))
    yield Case('pages-64t', '64 TiB reserved, 4096 pages', 'sparse-64t', summary,
               (Against('readloop every {pid}', 1 / 30, rounds=1),
                Against('readloop frames {pid}', 1.3), bounded))
    yield Case('pages-20t', '20 TiB reserved as by AddressSanitizer, 64 pages', 'sparse-20t-few',
               summary, (Absolute('cpu', 20), Against('readloop frames {pid}'), bounded))
    yield Case('pages-each-8g', 'JSON, one row for each of 2 million pages', 'big-8g',
               'vmview pages --json --each --pace fast {pid}',
               (Against('readloop frames {pid}'), bounded), 2 << 20)
    yield Case('pages-pace', 'what the default pace costs', 'big-8g',
               'vmview pages --summary {pid}',
               (Against(summary, 1.2), Against(summary, metric='wall')))


def share_cases():
    for count in (50, 500, 2000):
        goal = count == 500
        yield Case(f'share-{count}', f'who shares what, {count} processes', f'procs-{count}',
                   'vmview share --pace fast --all',
                   (Against('readloop pagemap all', 1.25 if goal else None),
                    Against('smem', 1 / 4 if goal else None, rounds=3), Peak(16 * MIB)))
        yield Case(f'ps-{count}', f'all processes, {count} of ours', f'procs-{count}',
                   'vmview ps --all',
                   (Against('readloop smaps_rollup all', 1.15 if goal else None),
                    Against('readloop smaps_rollup all', 0.6 if goal else None, 'wall'),
                    Against('smem', 1 / 5 if goal else None, rounds=3)), count)
    yield Case('metrics-500', 'metrics of all processes, 500 of ours', 'procs-500',
               'vmview ps --all --openmetrics', (Against('vmview ps --all', 1.02),))
    # Each child has a tenth of the shared frames for itself: 1 GiB / 4 KiB x (1 + 32 / 10) frames.
    yield Case('share-forktree', '32 children share 1 GiB copy-on-write', 'forktree',
               'vmview share --pace fast {pids}', (Against('readloop pagemap {pids}', 1.4),
                                       Peak(16 * MIB, 4, (1 << 18) * 42 // 10)))
    yield Case('share-20t', '20 TiB reserved, 4096 pages', 'sparse-20t',
               'vmview share --pace fast {pid}',
               (Absolute('cpu', 200), Against('readloop pagemap {pid}')))
    yield Case('system', 'every frame of the machine', None, 'vmview system',
               (Against('readloop kpageflags', 1.1), Against('readloop kpageflags', 0.6, 'wall')))


def huge_cases():
    for size in ('8g', '8g-random', '8g-huge'):
        yield Case(f'huge-{size}', 'huge-page coverage', f'big-{size}', 'vmview huge {pid}',
                   (Against('readloop huge {pid}' if size == '8g-huge' else 'readloop flags {pid}',
                            1.3), Peak(16 * MIB)))
    yield Case('huge-60k', 'the same, of many mappings', 'vmas-60k', 'vmview huge {pid}',
               (Against('readloop huge {pid}', 1.3), Peak(4 * MIB, 300, 60000)), 60000)
    yield Case('huge-why-60k', 'the same with the reasons, for which smaps has to be read',
               'vmas-60k', 'vmview huge --why --pace fast {pid}',
               (Against('readloop smaps,flags {pid}'),), 60000)
    yield Case('numa-60k', 'memory by node', 'vmas-60k', 'vmview numa --pace fast {pid}',
               (Against('cat /proc/{pid}/maps /proc/{pid}/numa_maps'),
                Peak(4 * MIB, 300, 60000)), 60000)
    yield Case('swap-60k', 'nothing in swap', 'vmas-60k', 'vmview swap --pace fast {pid}',
               (Against('readloop smaps {pid}'), Peak(4 * MIB, 300, 60000)))
    for size, target in (('60k', 'vmas-60k'), ('8g', 'big-8g')):
        yield Case(f'frag-{size}', 'fragmentation of an address space', target,
                   'vmview frag --pace fast {pid}', (Against('readloop smaps,pagemap {pid}', 1.3),))
    yield Case('frag', 'fragmentation of the machine', 'procs-50', 'vmview frag',
               (Against('readloop kpageflags,pagemap all', 1.5),))


def why_cases():
    for size, target in (('60k', 'vmas-60k'), ('8g', 'big-8g')):
        yield Case(f'why-{size}', 'why it is so big', target, 'vmview why --pace fast {pid}',
                   (Against('vmview map --pace fast --from pages {pid}', 1.2),
                    Against('vmview huge --pace fast {pid}')))
    yield Case('why-500', 'all processes, 500 of ours', 'procs-500',
               'vmview why --pace fast --all',
               (Against('vmview ps --pace fast --all --by=program', 1.5),), 500)
    yield Case('malloc-1g', '1 GiB of chunks of 64 bytes', 'chunks-1g', 'vmview malloc {pid}',
               (Absolute('wall', 1500), Peak(8 * MIB)))


def elf_cases():
    plain = 'readloop elf {pid}'
    yield Case('elf-300', 'memory by object, of 300 libraries', 'libs-300',
               'vmview elf --pace fast {pid}', (Against(plain, 1.3), Peak(16 * MIB)), 300)
    yield Case('elf-sections-300', 'the same by section', 'libs-300',
               'vmview elf --sections --pace fast {pid}', (Against(plain), Peak(16 * MIB)), 300)
    yield Case('elf-symbols-300', 'the same by symbol', 'libs-300',
               'vmview elf --symbols --pace fast {pid}', (Against(plain), Peak(64 * MIB)), 300)


def live_cases():
    # Ten refreshes: the first reading and one for each R.
    yield Case('live-60k', 'ten refreshes of a map of 60,000 mappings', 'vmas-60k',
               'vmview live --pace fast --screen 80x24 --keys RRRRRRRRR {pid}',
               (Against('cat' + ' /proc/{pid}/smaps' * 10, 1.6), Peak(16 * MIB, 600, 60000)))


LIST = 'vmview map -o address,size,perm,name {pid}'

STALLS = (
    Stall('stall-65k', 'how long mmap() waits in a process of 65,000 mappings', 'vmas-65k-probe', (
        Reader(''), Reader('cat /proc/{pid}/maps'), Reader('cat /proc/{pid}/smaps'),
        Reader('vmview map {pid}', p999_ms=2), Reader('vmview map --pace fast {pid}'),
        Reader(LIST, p999_ms=0.1), Reader('pmap -X {pid}'))),
    Stall('stall-8g', 'how long mmap() waits in a process of 8 GiB', 'big-8g-probe', (
        Reader(''), Reader('cat /proc/{pid}/maps'), Reader('cat /proc/{pid}/smaps'),
        Reader('vmview map {pid}', p999_ms=1, max_ms=5), Reader('vmview map --pace fast {pid}'),
        Reader(LIST, p999_ms=0.1),
        Reader('vmview pages --summary {pid}', p999_ms=1, max_ms=5),
        Reader('vmview pages --summary --pace fast {pid}'), Reader('pmap -X {pid}'))),
    Stall('stall-wss', 'how long mmap() waits while the working set of 8 GiB is measured',
          'big-8g-probe', (
              Reader(''), Reader('vmview wss {pid}'),
              Reader('vmview wss --clear-refs --interval 0.1 {pid}'))),
)

SLOWDOWNS = (
    Slowdown('faults-100k', 'what watching costs a process with 100,000 faults a second',
             'faults-100k', 'vmview faults --interval {seconds} {pid}', 1.10),
    Slowdown('faults-all-100k', 'the same with each fault recorded', 'faults-100k',
             'vmview faults --period 1 --interval {seconds} {pid}', 1.25),
    Slowdown('faults-storm', 'the same of one that does nothing but fault', 'faults-storm',
             'vmview faults --interval {seconds} {pid}', 1.05),
)

CASES = (*map_cases(), *pages_cases(), *share_cases(), *huge_cases(), *why_cases(), *elf_cases(),
         *live_cases())
