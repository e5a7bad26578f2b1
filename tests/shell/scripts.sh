#!/bin/sh
# The script runner through the real program: streams, exit codes, where commands come from, what is left out of a pipe.
tailor="${TAILOR:-./tailor} --no-init"
case $tailor in /*) ;; *) tailor=$PWD/$tailor ;; esac
TAILOR_DATASETS=$(cd "${DATASETS_DIR:-$(dirname "$0")/../../datasets}" && pwd)
export TAILOR_DATASETS
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
failed=0
i=0
echo 1..34

# check WHAT TEST...: one TAP line
check() {
  i=$((i + 1))
  what=$1
  shift
  if "$@"; then
    echo "ok $i - $what"
  else
    failed=1
    echo "not ok $i - $what"
    sed 's/^/# out: /' out
    sed 's/^/# err: /' err
  fi
}
# run ARGUMENTS...: standard output to out, standard error to err, the exit code to $code
run() {
  $tailor "$@" >out 2>err </dev/null
  code=$?
}
same() { printf "$1" | cmp -s - out; }
says() { grep -qF -e "$1" err; }
quiet() { [ ! -s err ]; }
all() { for condition; do eval "$condition" || return 1; done; }

run --output csv -c 'set who ann' -c 'set who'
check '-c runs in order, csv on standard output' all '[ $code = 0 ]' 'same "setting,value\nwho,ann\nsetting,value\nwho,ann\n"' quiet
run -c 'set who'
check 'a failing command: exit 3, message and caret on standard error only' \
  all '[ $code = 3 ]' '[ ! -s out ]' 'says "error: "' 'says "    ^^^"' 'says "hint: "'
run -c 'set who ann' -c 'frobnicate' -c 'set who bob'
check 'a script stops at its first error' all '[ $code = 3 ]' 'same "setting\tvalue\nwho\tann\n"'
run --output json -c 'set who "a\"b	c"' -c '# nothing' -c '' -c 'set who'
check 'json: one document a command, one a line, none for comments' all '[ $code = 0 ]' '[ "$(wc -l <out)" = 2 ]' \
  '[ "$(head -1 out)" = "$(tail -1 out)" ]' 'grep -q "^\[{\"setting\":\"who\",\"value\":" out'
run --output xml -c 'set'
check 'an output form that is none: exit 2' all '[ $code = 2 ]' 'says xml'
run --frob
check 'an unknown option: exit 2' all '[ $code = 2 ]' 'says "tailor --help"'
run a.tailor b.tailor
check 'two workspaces: exit 2' all '[ $code = 2 ]' 'says b.tailor'
run --seed many -c 'set seed'
check 'a seed that is no number: exit 2' all '[ $code = 2 ]' 'says seed'
run --seed 7 --output line -c 'set seed'
check '--seed is the setting' all '[ $code = 0 ]' 'grep -q "^value: *7$" out'
run fresh.tailor -c 'set who ann'
check 'a workspace that was not there is said to be new' all '[ $code = 0 ]' 'says "new workspace fresh.tailor"'
run fresh.tailor -c 'set who ann'
check 'one that was there is not' all '[ $code = 0 ]' quiet
mkdir folder
run folder -c 'set'
check 'a workspace that cannot be opened: exit 1' all '[ $code = 1 ]' '[ ! -s out ]' '[ -s err ]'
run --help
check '--help' all '[ $code = 0 ]' 'grep -q "^Usage: tailor" out' 'grep -q -e "--readonly" out' quiet
run --version
check '--version' all '[ $code = 0 ]' 'grep -q "^tailor [0-9]" out'

printf '# a script\nset who ann\n\nset who\nset nothing\nset who bob\n' >script
run -f script
check '-f FILE names the line that failed' all '[ $code = 3 ]' 'says "script:5: "' '[ "$(wc -l <out)" = 4 ]'
run -f missing
check 'a script that is not there: exit 1' all '[ $code = 1 ]' 'says missing'
printf 'set who ann\r\nset who\nquit\nset who bob\n' | $tailor --output csv >out 2>err
code=$?
check 'standard input is a script; quit ends it' all '[ $code = 0 ]' '[ "$(grep -c ann out)" = 2 ]' '! grep -q bob out'
printf 'set who ann\n' | $tailor --output csv -f - -c 'set who' >out 2>err
code=$?
check '-f - and -c in the order given' all '[ $code = 0 ]' '[ "$(grep -c ann out)" = 2 ]'

run --output json -c 'set who ann > who.csv' -c 'set who > who.json'
check '> FILE: the extension picks the form, nothing is printed' all '[ $code = 0 ]' '[ ! -s out ]' \
  'printf "setting,value\nwho,ann\n" | cmp -s - who.csv' 'grep -q "^\[{" who.json'
run -c 'set who ann > nowhere/who.csv'
check '> FILE where there is no folder: exit 3' all '[ $code = 3 ]' 'says nowhere'
run --output csv -c 'set who ann | tr a-z A-Z'
check '| PROGRAM' all '[ $code = 0 ]' 'same "SETTING,VALUE\nWHO,ANN\n"'
run -c 'timer on' -c 'set who ann'
check 'durations go to standard error' all '[ $code = 0 ]' 'says "time: "' '! grep -q "time: " out'
run --output csv -c 'set who ann' -c 'last > last.json' -c 'last | tr a-z A-Z'
check 'last goes to a file and to a program' all '[ $code = 0 ]' 'same "setting,value\nwho,ann\nSETTING,VALUE\nWHO,ANN\n"' \
  'grep -q "^\[{.*ann" last.json'
run -c 'quit > quit.csv'
check 'what has no result cannot be redirected: exit 3' all '[ $code = 3 ]' 'says "no result"' '[ ! -e quit.csv ]'
mkfifo fifo
ln -s real.csv link.csv
echo old >real.csv
chmod 644 real.csv
cat fifo >from_fifo &
run -c 'set who ann > fifo' -c 'set who ann > link.csv'
wait
check '> FILE: a pipe is written to, a link stays, the mode too' all '[ $code = 0 ]' '[ -p fifo ]' 'grep -q ann from_fifo' \
  '[ -h link.csv ]' 'grep -q "^who,ann" real.csv' 'ls -l real.csv | grep -q "^-rw-r--r--"'
if [ -c /dev/full ]; then
  $tailor -c help >/dev/full 2>err </dev/null
  code=$?
  : >out
  check 'a full disk is said: exit 3' all '[ $code = 3 ]' 'says "No space left"'
else
  check 'a full disk is said (skipped: no /dev/full)' true
fi
$tailor -c help -c help -c help 2>err </dev/null | head -1 >out
check 'a reader that leaves early is no error to speak of' all '! says error' '[ "$(wc -l <out)" = 1 ]'

printf 'set greeting hello\n' >rc
"${TAILOR:-./tailor}" --init rc --output csv -c 'set greeting' >out 2>err </dev/null
check '--init runs first' all 'tail -1 out | grep -q hello'
# Ctrl-C on a script: the command is cancelled, the exit code says so.
: >out
$tailor -c 'watch 1 set' >out 2>err </dev/null &
pid=$!
n=0
while [ ! -s out ] && [ $n -lt 600 ]; do
  n=$((n + 1))
  sleep 0.05
done
kill -INT $pid
wait $pid
code=$?
check 'interrupted: exit 130' all '[ $code = 130 ]' 'says cancelled'

# A FIFO: nobody writes to it, somebody does and goes, somebody is waited for until Ctrl-C.
mkfifo quiet
timeout -s INT 1 $tailor -c 'load quiet' >out 2>err </dev/null
check 'waiting for a writer can be cancelled' all 'says cancelled'
printf 'user,item,time\nann,tent,2024-01-01\n' >base.csv
(printf 'user,item,time\nbob,tent,2024-01-02\nbob,bag,2024-01-03\n' >quiet) &
run --output csv -c 'load base.csv' -c 'follow quiet' -c 'events by=user'
check 'a FIFO is followed until its writer goes' all '[ $code = 0 ]' 'grep -q "^quiet,base,2,2,0,ended" out' 'grep -q "^bob.*2" out'
wait
timeout -s INT 1 $tailor --output csv w.tailor -c 'load base.csv' -c 'follow base.csv' >out 2>err </dev/null
run --output csv w.tailor -c datasets
check 'following ends with Ctrl-C, the workspace is closed' all '[ $code = 0 ]' 'grep -q "^base,base.csv,1,1,1" out' '[ ! -e w.tailor-wal ]'

# A hundred users who rated the same: few pairs of items, but that cannot be known before they are counted.
awk 'BEGIN { print "user,item,rating"
  for (u = 0; u < 100; u++) for (i = 0; i < 600; i++) print "u" u ",i" i "," 1 + (u * 7 + i * 3) % 5
  for (i = 600; i < 5800; i++) print "s" i ",i" i ",3" }' >alike.csv
run --output csv -c 'load alike.csv' -c 'train slopeone'
check 'a training that may take much memory says so, beside the data' all '[ $code = 0 ]' \
  'says "slopeone on 5,800 items takes up to 1.0 GiB of "' '! grep -q GiB out'
run --output csv -c 'load base.csv' -c 'train pop'
check 'one that takes little does not' all '[ $code = 0 ]' '! says " takes "'
exit $failed
