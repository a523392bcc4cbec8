#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""contrib/ with the real programs: vmview-metrics writes files, promtool likes them, node_exporter
serves them, Prometheus scrapes that, a process grows, and the alert fires. All of it on loopback,
with rules whose times are made short. Expressions of the dashboard are asked of Prometheus too.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

SRC = os.environ.get("SRCDIR") or os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
VMVIEW = os.environ.get("VMVIEW") or os.path.join(SRC, "build/vmview")
CONTRIB = os.path.join(SRC, "contrib")
RULES = os.path.join(CONTRIB, "prometheus/vmview.rules.yml")
METRICS = os.path.join(CONTRIB, "prometheus/vmview-metrics")
EXPORTER, PROMETHEUS, PROMTOOL = "prometheus-node-exporter", "prometheus", "promtool"
MIB = 1 << 20
FIRES_S = 90
GROWS = f"""
import time
open("/proc/self/comm", "w").write("grower")
kept = []
print("ready", flush=True)
while len(kept) < 40:
    kept.append(b"x" * {4 * MIB})
    time.sleep(0.5)
time.sleep(600)
"""


class Tap:
    count = failed = 0

    def result(self, good, name, said=""):
        self.count += 1
        self.failed += not good
        if not good:
            for line in str(said).splitlines()[:40]:
                print(f"# {line}")
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)

    def skip(self, name, why):
        self.count += 1
        print(f"# skip: {why}\nok {self.count} # SKIP {name}", flush=True)


TAP = Tap()


def run(*args, **options):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def wait_for(ask, seconds, every=0.3):
    """What ask() returns once that is true, or the last of it."""
    end = time.monotonic() + seconds
    got = None
    while time.monotonic() < end:
        try:
            got = ask()
        except (OSError, urllib.error.URLError):
            got = None
        if got:
            return got
        time.sleep(every)
    return got


@contextlib.contextmanager
def program(*args, **options):
    proc = subprocess.Popen(args, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        yield proc
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(proc.pid, signal.SIGTERM)
        try:
            proc.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(proc.pid, signal.SIGKILL)
            proc.wait()


def commands():
    """What each file of contrib/systemd/metrics runs, by its name."""
    directory = os.path.join(CONTRIB, "systemd/metrics")
    found = {}
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name)) as file:
            match = re.search(r"^VMVIEW_COMMAND=(.+)$", file.read(), re.M)
        found[name.removesuffix(".conf")] = match[1].split()
    return found


def write_metrics(directory, name, command):
    return run(METRICS, directory, name, *command, env={**os.environ, "VMVIEW": VMVIEW})


def check_files(directory):
    """Every run writes its file, which promtool takes; a run that fails leaves the old one."""
    for name, command in commands().items():
        done = write_metrics(directory, name, command)
        path = os.path.join(directory, f"vmview-{name}.prom")
        good = done.returncode == 0 and os.path.exists(path)
        TAP.result(good, f"vmview-metrics {name}", done.stdout)
        if good and shutil.which(PROMTOOL):
            with open(path) as file:
                done = run(PROMTOOL, "check", "metrics", stdin=file)
            TAP.result(done.returncode == 0, f"promtool check metrics: {name}", done.stdout)
    before = os.stat(os.path.join(directory, "vmview-ps.prom"))
    done = write_metrics(directory, "ps", ["nosuchcommand"])
    after = os.stat(os.path.join(directory, "vmview-ps.prom"))
    TAP.result(done.returncode == 1 and before.st_ino == after.st_ino,
               "a run that fails leaves the file as it was", done.stdout)
    left = [name for name in os.listdir(directory) if not name.endswith(".prom")]
    TAP.result(not left, "nothing else is left in the directory", left)


def check_rules():
    for what, path in ("rules", RULES), ("tests of rules", RULES.replace(".yml", ".test.yml")):
        if not shutil.which(PROMTOOL):
            TAP.skip(f"promtool: {what}", f"{PROMTOOL} is not installed")
            continue
        done = run(PROMTOOL, *(("check", "rules") if what == "rules" else ("test", "rules")), path)
        TAP.result(done.returncode == 0, f"promtool: {what}", done.stdout)


def check_units():
    units = os.path.join(CONTRIB, "systemd")
    if not shutil.which("systemd-analyze"):
        return TAP.skip("systemd-analyze verify", "systemd-analyze is not installed")
    with tempfile.TemporaryDirectory() as directory:
        for name in os.listdir(units):
            if name.endswith((".service", ".timer")):
                with open(os.path.join(units, name)) as file:
                    text = file.read().replace("/usr/libexec/vmview/vmview-metrics", "/bin/true")
                with open(os.path.join(directory, name.replace("@", "@ps")), "w") as file:
                    file.write(text.replace("%i", "ps"))
        for name in sorted(os.listdir(directory)):
            done = run("systemd-analyze", "verify", "--man=no", os.path.join(directory, name))
            said = "\n".join(line for line in done.stdout.splitlines() if name in line)
            TAP.result(not said, f"systemd-analyze verify {name}", said)
    return None


def quick_rules(path):
    """The rules with hours as seconds."""
    with open(RULES) as file:
        text = file.read()
    text = text.replace("offset 1h", "offset 10s").replace("[15m]", "[8s]")
    text = re.sub(r"for: \w+", "for: 2s", text)
    with open(path, "w") as file:
        file.write(text)


def dashboard_queries():
    with open(os.path.join(CONTRIB, "grafana/vmview-fleet.json")) as file:
        board = json.load(file)
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$instance", ".*")


def names_of(directory):
    names = set()
    for name in os.listdir(directory):
        with open(os.path.join(directory, name)) as file:
            names |= set(re.findall(r"^# HELP (\w+)", file.read(), re.M))
    return names


def documented():
    """Names that golden cases have: what this machine has nothing of (swap, nodes) is there."""
    names, golden = set(), os.path.join(SRC, "tests/golden")
    for case in os.listdir(golden):
        if case.startswith("openmetrics-"):
            with open(os.path.join(golden, case, "expected")) as file:
                for name, kind in re.findall(r"^# TYPE (\w+) (\w+)", file.read(), re.M):
                    names.add(name + ("_total" if kind == "counter" else ""))
    return names


def check_names(directory):
    known = names_of(directory) | documented()
    with open(RULES) as file:
        used = set(re.findall(r"\bvmview_\w+", re.sub(r"description:.*", "", file.read())))
    for _, query in dashboard_queries():
        used |= set(re.findall(r"\bvmview_\w+", query))
    TAP.result(len(used) > 15 and used <= known, "rules and dashboard name metrics that there are",
               sorted(used - known))


def alerts(port):
    answer = json.loads(get(f"http://127.0.0.1:{port}/api/v1/alerts"))
    return [alert["labels"] for alert in answer["data"]["alerts"] if alert["state"] == "firing"]


def check_fleet(directory, work):
    ports = free_port(), free_port()
    config = os.path.join(work, "prometheus.yml")
    quick_rules(os.path.join(work, "rules.yml"))
    with open(config, "w") as file:
        file.write("global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                   "rule_files: [rules.yml]\n"
                   "scrape_configs:\n  - job_name: node\n    static_configs:\n"
                   f"      - targets: ['127.0.0.1:{ports[0]}']\n")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with program(EXPORTER, "--collector.disable-defaults", "--collector.textfile",
                 f"--collector.textfile.directory={directory}",
                 f"--web.listen-address=127.0.0.1:{ports[0]}", **quiet), \
            program(PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={work}/data",
                    f"--web.listen-address=127.0.0.1:{ports[1]}", **quiet):
        text = wait_for(lambda: get(f"http://127.0.0.1:{ports[0]}/metrics"), 30) or ""
        TAP.result("node_textfile_scrape_error 0" in text and
                   all(name in text for name in names_of(directory)),
                   "node_exporter serves all files without an error",
                   re.findall(r"^node_textfile.*", text, re.M))
        TAP.result(bool(wait_for(lambda: get(f"http://127.0.0.1:{ports[1]}/-/ready"), 60)),
                   "Prometheus is ready")
        grow(directory, ports[1])
        ask_dashboard(ports[1])


def grow(directory, port):
    """Let a process grow until the alert tells of it, and of no other."""
    with program(sys.executable, "-c", GROWS, stdout=subprocess.PIPE) as grower:
        grower.stdout.readline()
        end, fired = time.monotonic() + FIRES_S, []
        while time.monotonic() < end and not fired:
            write_metrics(directory, "ps", ["ps"])
            fired = [labels for labels in alerts(port) if labels["alertname"] == "MemoryGrows"
                     and labels["program"] == "grower"]
            time.sleep(0.7)
        TAP.result(bool(fired) and fired[0]["severity"] == "warning",
                   "a process grows, and the alert fires", alerts(port))


def ask_dashboard(port):
    wrong = []
    for title, query in dashboard_queries():
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            answer = json.loads(get(url))
        except urllib.error.HTTPError as err:
            answer = json.loads(err.read())
        if answer["status"] != "success":
            wrong.append(f"{title}: {answer.get('error')}")
    TAP.result(not wrong, "Prometheus understands every query of the dashboard", "\n".join(wrong))


def main():
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as work:
        check_files(directory)
        check_names(directory)
        check_rules()
        check_units()
        missing = [name for name in (EXPORTER, PROMETHEUS) if not shutil.which(name)]
        if missing:
            TAP.skip("a fleet of one", f"{' and '.join(missing)} not installed")
        else:
            check_fleet(directory, work)
    print(f"1..{TAP.count}")
    return 1 if TAP.failed else 0


sys.exit(main())
