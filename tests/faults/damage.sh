#!/bin/sh
# Workspaces cut short and with flipped bits, opened by the program: refused with a message, or harmless. Never a crash, never
# other numbers.
. "${TESTS_DIR:-$(dirname "$0")/..}/faults/common.sh"
echo 1..3

$tailor whole.tailor -c 'load tiny' -c 'train pop' -c 'train ease' >out 2>err </dev/null || verdict 'data' 'cannot be made'
bytes=$(wc -c <whole.tailor)
ask="-c 'events by=type' -c 'recommend ana with pop ease'"
answer() { eval "$tailor --output csv $1 damaged.tailor $ask" >out 2>err </dev/null; code=$?; }
cp whole.tailor damaged.tailor
answer --readonly
cp out want
[ $code = 0 ] || verdict 'the undamaged workspace' "exit $code"

# judge WHAT: sets $problem unless the last answer was the true one, or an error with a message behind a true beginning
judge() {
  n=$(wc -c <out)
  if [ $code -ge 128 ] || [ $code = 2 ]; then
    problem="$1: exit $code"
  elif [ $code != 0 ] && ! grep -q '^error: .' err; then
    problem="$1: exit $code without a message"
  elif [ $code = 0 ] && ! cmp -s out want || ! head -c "$n" want | cmp -s - out; then
    problem="$1: other numbers"
  fi
  [ -n "$problem" ] || [ $code = 0 ] || refused=$((refused + 1))
}

# Bytes that are something: most of a small workspace is unused room. Every second time it may be written to.
od -v -An -tu1 -w1 whole.tailor | awk '$1 { print NR - 1 }' >used
problem= refused=0 k=0
for place in $(random 11 "${FLIPS:-80}" 1 "$(wc -l <used)" | cut -d. -f1 | awk 'NR == FNR { at[NR] = $1; next } { print at[$1] }' used -); do
  [ -z "$problem" ] || break
  k=$((k + 1))
  rm -f damaged.tailor*
  cp whole.tailor damaged.tailor
  old=$(od -An -tu1 -j"$place" -N1 whole.tailor)
  printf "\\$(printf %03o $(((old ^ (1 << k % 8)) & 255)))" |
    dd of=damaged.tailor bs=1 seek="$place" conv=notrunc 2>/dev/null
  cmp -s whole.tailor damaged.tailor && problem="byte $place was not altered"
  if [ $((k % 2)) = 0 ]; then answer; else answer --readonly; fi
  judge "bit $((k % 8)) of byte $place"
done
[ -n "$problem" ] || [ $refused -ge 20 ] || problem="only $refused were noticed: nobody looks"
verdict "flipped bits ($refused refused)" "$problem"

problem= refused=0
for place in 1 15 16 99 100 511 512 4096 16383 16384 $(random 12 25 0 $((bytes - 1)) | cut -d. -f1); do
  [ -z "$problem" ] || break
  rm -f damaged.tailor*
  head -c "$place" whole.tailor >damaged.tailor
  answer --readonly
  judge "cut at $place"
  [ $code != 0 ] || problem="cut at $place: nobody noticed"
  answer
  judge "cut at $place, to be written"
  [ $code != 0 ] || problem="cut at $place: nobody noticed"
done
verdict "cut short" "$problem"

# A log from another life, cut and altered, beside a whole file.
problem= refused=0
cp whole.tailor busy.tailor
$tailor busy.tailor -c 'train itemknn' -c 'watch 5 status' >out 2>err </dev/null &
victim=$!
n=0
while [ "$(grep -c program out)" = 0 ] && [ $n -lt 200 ]; do
  n=$((n + 1))
  sleep 0.05
done
kill -9 $victim
wait $victim 2>/dev/null
log=$(wc -c <busy.tailor-wal)
for place in $(random 13 20 0 $((log - 1)) | cut -d. -f1); do
  [ -z "$problem" ] || break
  rm -f damaged.tailor*
  cp busy.tailor damaged.tailor
  head -c "$place" busy.tailor-wal >damaged.tailor-wal
  answer
  judge "log cut at $place"
  [ $code = 0 ] || problem="log cut at $place: what was committed is lost"
done
verdict "a log cut short" "$problem"
exit $failed
