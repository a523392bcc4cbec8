# SPDX-License-Identifier: GPL-2.0-or-later
"""Start targets, run commands side by side, and compare what they cost."""
import contextlib
import fcntl
import json
import os
import re
import select
import shlex
import signal
import statistics
import subprocess
import time

MAX_MAP_COUNT = '/proc/sys/vm/max_map_count'
MACHINE_LOCK = '/run/lock/vmview-machine'   # tests that change a setting of the machine take it too
START_SECONDS = 300                         # until a generator must be ready


class Skip(Exception):
    """Cannot be measured here, and why."""


class Failed(Exception):
    """A command did not do its work."""


class Programs:
    """Where the commands come from."""

    OWN = ('manyvmas', 'bigrss', 'chunks', 'sparse', 'faulter', 'forktree', 'manylibs', 'manyprocs',
           'readloop', 'pairs')

    def __init__(self, builddir, vmview):
        self.builddir = builddir
        self.vmview = os.path.abspath(vmview or os.path.join(builddir, 'vmview'))
        self.tmp = None             # of the case that is measured
        self._help = {}

    def argv(self, command, target=None):
        words = []
        for word in shlex.split(command):
            if word == '{pids}':
                words += map(str, target.pids())
            else:
                words.append(word.replace('{pid}', str(target.pid) if target else '')
                             .replace('{tmp}', self.tmp or ''))
        if words[0] == 'vmview':
            words[0] = self.vmview
        elif words[0] in self.OWN:
            words[0] = os.path.join(self.builddir, 'bench', words[0])
        return words

    def help_of(self, *command):
        """What vmview or a subcommand says to --help, None when it fails."""
        if command not in self._help:
            p = subprocess.run([self.vmview, *command, '--help'], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            self._help[command] = None if p.returncode else p.stdout.decode(errors='replace')
        return self._help[command]

    def has(self, command):
        """Whether vmview can do that already: the subcommand and its long options."""
        words = shlex.split(command)
        if words[0] != 'vmview':
            return True
        own, common = self.help_of(words[1]), self.help_of()
        if own is None or common is None:
            return False
        if not re.match(rf'usage: vmview {words[1]}\b', own, re.IGNORECASE):
            return False                # what it does not know it takes for a PID
        return all(word in own or word in common for word in words if word.startswith('--'))


@contextlib.contextmanager
def raised_max_map_count(mappings):
    """Allow processes so many mappings; put the old limit back."""
    if not mappings:
        yield
        return
    with open(MACHINE_LOCK, 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(MAX_MAP_COUNT, encoding='ascii') as f:
            old = int(f.read())
        try:
            if old < mappings + 1000:
                write_number(MAX_MAP_COUNT, mappings + 1000)
            yield
        finally:
            write_number(MAX_MAP_COUNT, old)


def write_number(path, number):
    with open(path, 'w', encoding='ascii') as f:
        f.write(str(number))


def available_gib():
    with open('/proc/meminfo', encoding='ascii') as f:
        for line in f:
            if line.startswith('MemAvailable:'):
                return int(line.split()[1]) / (1 << 20)
    return 0


class Target:
    """A running generator; use it in a with statement."""

    def __init__(self, programs, generator):
        self.programs = programs
        self.generator = generator
        self.process = None
        self.pid = 0

    def __enter__(self):
        spec = self.generator
        if available_gib() < spec.memory_gib + 1:
            raise Skip(f'needs {spec.memory_gib:g} GiB of free memory')
        # The limit holds for new mappings only, so it need not stay raised.
        with raised_max_map_count(spec.mappings):
            try:
                self.start()
            except BaseException:
                if self.process:        # until it is ready it listens to nothing else
                    self.process.kill()
                    self.stop()
                raise
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        self.process = subprocess.Popen(self.programs.argv(self.generator.command),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        words = self.line(START_SECONDS).split()
        if words[:1] != ['ready']:
            raise Failed(f'{self.generator.command}: did not become ready')
        self.pid = int(words[1])
        if self.generator.huge_bytes:
            self.check_huge()

    def stop(self):
        if not self.process:
            return
        self.process.stdin.close()      # the generator ends by that, and its children with it
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None

    def line(self, seconds):
        """The next line that the generator prints."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise Failed(f'{self.generator.command}: silent for {seconds} s')
        return self.process.stdout.readline().decode()

    def check_huge(self):
        with open(f'/proc/{self.pid}/smaps_rollup', encoding='ascii') as f:
            kb = [int(line.split()[1]) for line in f if line.startswith('AnonHugePages:')]
        if sum(kb) << 10 < self.generator.huge_bytes * 0.99:
            raise Skip('no huge pages to be had now')

    def pids(self):
        with open(f'/proc/{self.pid}/task/{self.pid}/children', encoding='ascii') as f:
            return [self.pid] + [int(pid) for pid in f.read().split()]

    def probe(self, seconds, work):
        """Do work and see what the probe threads measured meanwhile."""
        os.kill(self.pid, signal.SIGUSR1)
        time.sleep(0.05)
        result = work()
        os.kill(self.pid, signal.SIGUSR2)
        return result, json.loads(self.line(seconds))


class Runs:
    """What pairs measured of one command."""

    def __init__(self, rows):
        self.cpu = [row[0] for row in rows]         # nanoseconds
        self.wall = [row[1] for row in rows]
        self.peak = [row[2] << 10 for row in rows]  # bytes
        self.status = [row[3] for row in rows]

    def metric(self, name):
        return self.cpu if name == 'cpu' else self.wall

    def median(self, name):
        return statistics.median(self.metric(name))


class Bench:
    def __init__(self, programs, args):
        self.programs = programs
        self.args = args
        self._empty = None

    def run(self, argvs, *options):
        """Run commands in turn; returns their Runs."""
        argv = self.programs.argv('pairs') + list(map(str, options))
        for i, words in enumerate(argvs):
            argv += (['::'] if i else []) + words
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as p:
            try:
                out, err = p.communicate()
            except BaseException:
                p.terminate()           # not kill: it has a child to end
                raise
        note = err.decode(errors='replace').strip().splitlines()[-1:]
        if p.returncode:
            raise Failed(f'pairs: {" ".join(note)}')
        runs = [Runs(rows) for rows in json.loads(out)]
        for one, words in zip(runs, argvs):
            # 1 of all processes: some may not be read, even by root
            bad = [s for s in one.status if s and not (s == 1 and is_of_all(words))]
            if bad:
                raise Failed(f'{shlex.join(words)[:100]}: exit status {bad[0]}: {" ".join(note)}')
        return runs

    def pairs(self, argvs, rounds=None):
        """The same, as often as it needs: short commands more often. After a warm-up."""
        once = self.run(argvs, '-w', 0, '-n', 1)
        seconds = sum(r.wall[0] for r in once) / 1e9
        count = rounds or max(self.args.pairs, min(61, int(self.args.seconds / seconds)))
        return self.run(argvs, '-w', 0, '-n', count)

    def empty_peak(self):
        """Peak memory of a process that does nothing."""
        if self._empty is None:
            self._empty = statistics.median(self.run([['true']], '-n', 21)[0].peak)
        return self._empty

    def wait_quiet(self):
        """Wait until nobody else uses the processors; False when that did not come about."""
        end = time.monotonic() + self.args.quiet_seconds
        while True:
            if idle_share(1.0) > 0.85:
                return True
            if time.monotonic() > end:
                return False


def idle_share(seconds):
    """The idle share of all processors during the next seconds."""
    def sample():
        with open('/proc/stat', encoding='ascii') as f:
            fields = [int(x) for x in f.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]
    total0, idle0 = sample()
    time.sleep(seconds)
    total1, idle1 = sample()
    return (idle1 - idle0) / max(1, total1 - total0)


def ratios(ours, theirs, metric):
    """Pair by pair, sorted."""
    return sorted(a / b for a, b in zip(ours.metric(metric), theirs.metric(metric)))


def quartiles(values):
    if len(values) < 3:
        return values[0], values[-1]
    cut = statistics.quantiles(values, n=4, method='inclusive')
    return cut[0], cut[2]


def is_of_all(argv):
    """Of the whole machine, where processes may be that nobody may read: status 1."""
    return '--all' in argv or len(argv) == 2


def output_of(argv):
    """Run a command once; returns how many lines and bytes it printed. Failed if it failed."""
    lines = size = 0
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        while True:
            data = p.stdout.read(1 << 20)
            if not data:
                break
            lines += data.count(b'\n')
            size += len(data)
        note = p.stderr.read().decode(errors='replace').strip().splitlines()[:1]
    if p.returncode and not (p.returncode == 1 and is_of_all(argv)):
        raise Failed(f'{shlex.join(argv)[:100]}: exit status {p.returncode}: {" ".join(note)}')
    return lines, size
