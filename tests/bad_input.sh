#!/bin/sh
# Bad input: each gets a message that names what, where and how to mend it; the exit code is right; nothing half-loaded stays.
tailor=${TAILOR:-./tailor}
case $tailor in /*) ;; *) tailor=$PWD/$tailor ;; esac
TAILOR_DATASETS=$(cd "${DATASETS_DIR:-$(dirname "$0")/../datasets}" && pwd)
export TAILOR_DATASETS
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
failed=0
i=0
echo 1..20

: >empty.csv
head -c 4096 /dev/urandom | tr '\n' '\000' >binary.csv
printf 'a,b\n1,2\n' >columns.csv
printf 'user,item\n1,2\n2,3\n' >plain.csv
printf 'not a workspace\n' >plain.tailor
awk 'BEGIN { print "user,item,time"; for (i = 1; i <= 100000; i++)
  if (i % 100 == 0) print "u" i % 500 ",i" i % 90 ",31/02/2024"; else print "u" i % 500 ",i" i % 90 "," 1700000000 + i }' >broken.csv

# refused EXIT WORD WORD -- arguments of tailor: the exit code, and words that standard error must hold
refused() {
  i=$((i + 1))
  what=$1 want=$2
  shift 2
  words=
  while [ "$1" != -- ]; do words="$words$1
"; shift; done
  shift
  "$tailor" --no-init "$@" >out 2>err </dev/null
  code=$?
  bad=
  [ $code = "$want" ] || bad="exit code $code, not $want"
  printf '%s' "$words" >words
  while IFS= read -r word; do
    grep -qiF -e "$word" err || bad="$bad; nothing about \"$word\""
  done <words
  if [ -z "$bad" ]; then
    echo "ok $i - $what"
  else
    failed=1
    echo "not ok $i - $what: $bad"
    sed 's/^/# /' err
  fi
}

refused 'an empty file' 3 'empty.csv' 'empty' -- -c 'load empty.csv'
refused 'a binary file' 3 'binary.csv' -- -c 'load binary.csv'
refused 'a missing file' 3 'nowhere.csv' 'No such file' -- -c 'load nowhere.csv'
refused 'a missing column' 3 'uid' 'columns.csv' 'a, b' -- -c 'load columns.csv user=uid item=b'
refused 'columns that cannot be guessed' 3 'user=' -- -c 'load columns.csv'
refused 'a wrong option' 3 'lamda' 'lambda' -- -c 'load tiny' -c 'train ease lamda=5'
refused 'a wrong value' 3 'lambda' 'number' -- -c 'load tiny' -c 'train ease lambda=five'
refused 'an unknown user' 3 'anna' 'ana' -- -c 'load tiny' -c 'user anna'
refused 'an ambiguous title' 3 'fits' 'id:' -- -c 'load tiny' -c 'train pop' -c 'why ana "ing"'
refused 'a title without quotes' 3 'stand in quotes: "Dog bed"' -- -c 'load tiny' -c 'train pop' -c 'why ana Dog bed'
refused 'a change without its verb' 3 'remove ITEM' -- -c 'load tiny' -c 'train pop' -c 'whatif ana without stove'
refused 'an unknown command' 3 'recomend' 'recommend' -- -c 'recomend ana'
refused 'a moment where there are no times' 3 'at=' 'time=' -- -c 'load plain.csv' -c 'train pop' -c 'recommend 1 at=2025-01-01'
refused 'a workspace that is not ours' 1 'plain.tailor' -- plain.tailor -c status
refused 'a command in place of a workspace' 2 'tailor -c compare' -- compare
refused 'an unknown option of the program' 2 'bogus' -- --bogus

i=$((i + 1))
"$tailor" --no-init --output json -c 'load broken.csv' -c 'rejects 1' >out 2>err </dev/null
code=$?
if [ $code = 0 ] && grep -q '"rows_read":100000' out && grep -q '"rows_kept":99000' out && grep -q '"rows_rejected":1000' out &&
  grep -q '"line":101' out && grep -q '31/02/2024' out; then
  echo "ok $i - 1,000 broken rows among 100,000"
else
  failed=1
  echo "not ok $i - 1,000 broken rows among 100,000"
  cat out err | cut -c 1-400 | sed 's/^/# /'
fi

i=$((i + 1))
"$tailor" --no-init w.tailor -c 'load tiny' >/dev/null 2>&1 </dev/null
"$tailor" --no-init w.tailor -c 'load columns.csv user=uid' >/dev/null 2>&1 </dev/null
"$tailor" --no-init --output json w.tailor -c datasets >out 2>err </dev/null
if grep -q '"tiny"' out && ! grep -q columns out; then
  echo "ok $i - a failed load leaves the workspace as it was"
else
  failed=1
  echo "not ok $i - a failed load leaves the workspace as it was"
  cat out err | sed 's/^/# /'
fi

i=$((i + 1))
printf 'load tiny\nuser nobody\nstatus\n' >stops
"$tailor" --no-init -f stops >out 2>err </dev/null
code=$?
if [ $code = 3 ] && grep -q 'stops:2' err; then
  echo "ok $i - a script stops at its first error and says where"
else
  failed=1
  echo "not ok $i - a script stops at its first error and says where (exit $code)"
  sed 's/^/# /' err
fi

# One line of 200 MB: rejected, its neighbours kept, and never more of it in memory than a few times the cap of 16 MB.
i=$((i + 1))
if command -v python3 >/dev/null; then
  ASAN_OPTIONS="$ASAN_OPTIONS:quarantine_size_mb=1" python3 - "$tailor" >out 2>&1 <<'PY'
import gzip, os, subprocess, sys

CAP = 16 << 20

def peak(path):
    """What one load says, and the most memory it had, in bytes."""
    child = subprocess.Popen([sys.argv[1], "--no-init", "--output", "json", "-c", "load " + path + " as x"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    said = child.stdout.read().decode()
    return said, os.wait4(child.pid, 0)[2].ru_maxrss * 1024

open("small.csv", "w").write("user,item\na,b\ne,f\n")
before = peak("small.csv")[1]
bad = 0
for end, first, last in (("csv", b"user,item\na,b\nc,", b"\ne,f\n"),
                         ("jsonl", b'{"user":"a","item":"b"}\n{"user":"c","item":"', b'"}\n{"user":"e","item":"f"}\n')):
    for name, opened in (("long." + end, open), ("long." + end + ".gz", lambda n, m: gzip.open(n, m, 1))):
        with opened(name, "wb") as f:
            f.write(first)
            for _ in range(200):
                f.write(b"x" * (1 << 20))
            f.write(last)
        said, most = peak(name)
        os.remove(name)
        print(name, "%.1f x the cap" % ((most - before) / CAP), said)
        bad |= most - before > 8 * CAP or '"rows_read":3,"rows_kept":2,"rows_rejected":1' not in said
sys.exit(bad)
PY
  code=$?
else
  code=0
fi
if [ $code = 0 ]; then
  echo "ok $i - a line of 200 MB in bounded memory"
else
  failed=1
  echo "not ok $i - a line of 200 MB in bounded memory"
  sed 's/^/# /' out
fi
exit $failed
