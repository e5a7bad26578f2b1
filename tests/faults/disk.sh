#!/bin/sh
# No room: a small disk (as root), a limit on the size of files, /dev/full. Each command says so and fails; what was there stays.
. "${TESTS_DIR:-$(dirname "$0")/..}/faults/common.sh"
echo 1..12

mounted=
clean_up() {
  [ -z "$mounted" ] || umount "$work/small"
  rm -rf "$work"
}

$tailor start.tailor -c 'load tiny' -c 'train pop' >out 2>err </dev/null || verdict 'data' 'cannot be made'
state start.tailor >want
mkdir world
$tailor -c 'generate world/events.csv users=400 days=40' >out 2>err </dev/null || verdict 'data' 'generate failed'

# unharmed FILE: the workspace is what it was at the start
unharmed() {
  state "$1" >got
  cmp -s got want || echo 'the workspace has changed'
}
# left FOLDER PATTERN: nothing half-written is left behind
left() { [ -z "$(find "$1" -maxdepth 1 -name "$2")" ] || echo "left behind: $(find "$1" -maxdepth 1 -name "$2")"; }

# ---- a small disk ----

mkdir small
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=700k none small 2>/dev/null; then
  mounted=yes
  cp start.tailor small/w.tailor
  run small/w.tailor -c 'load world'
  verdict 'load on a full disk' "$(expect 3 'full' 'make room')$(unharmed small/w.tailor)"
  run small/w.tailor -c 'append world/events.csv'
  verdict 'append on a full disk' "$(expect 3 'full' 'make room')$(unharmed small/w.tailor)"
  head -c 280k /dev/zero >small/ballast 2>/dev/null
  run small/w.tailor -c 'load tiny as other' -c 'train ease' -c 'train itemknn' -c 'train ials factors=512'
  verdict 'train on a full disk' "$([ $code = 0 ] || expect 3 'full' 'make room')"
  state small/w.tailor >got
  verdict 'the workspace is whole after it' "$(grep -q 'every checksum holds' got || echo 'it is not')"
  rm -f small/*
  run start.tailor -c 'load world as world' -c "save small/copy.tailor"
  $tailor start.tailor -c 'drop world' >out 2>&1 </dev/null
  verdict 'save on a full disk' "$(expect 3 'copy.tailor' 'full')$(left small 'copy*')$(unharmed start.tailor)"
  head -c 660k /dev/zero >small/ballast 2>/dev/null
  run -c 'load world' -c 'events last=100000 > small/events.csv'
  verdict '> FILE on a full disk' "$(expect 3 'small/events.csv' 'No space')$(left small 'events.csv*')"
  run -c 'generate small/world.csv users=400 days=40'
  verdict 'generate on a full disk' "$(expect 3 'small/world' 'No space')$(left small 'world*')"
  umount small
  mounted=
else
  for what in load append train whole save file generate; do
    skip "$what on a full disk" 'no small disk can be mounted'
  done
fi

# ---- files may not grow ----

# limited KILOBYTES ARGUMENTS...: as run
limited() {
  bytes=$(($1 * 1024))
  shift
  prlimit --fsize=$bytes $tailor "$@" >out 2>err </dev/null
  code=$?
}

if prlimit --fsize=4096 true 2>/dev/null; then
  problem=
  for kilobytes in 8 33 200 230 260 300; do
    cp start.tailor w.tailor
    limited $kilobytes w.tailor -c 'load world'
    [ $code = 1 ] || problem="$problem$(expect 3 'make room')"
    [ -s err ] || problem="$problem no message"
    problem="$problem$(unharmed w.tailor)"
    [ -z "$problem" ] || break
  done
  verdict 'load where files may not grow' "$problem"
  problem=
  for kilobytes in 8 33 200 230 260 300; do
    cp start.tailor w.tailor
    limited $kilobytes w.tailor -c 'append world/events.csv'
    [ $code = 1 ] || problem="$problem$(expect 3 'make room')"
    problem="$problem$(unharmed w.tailor)"
    limited $kilobytes w.tailor -c 'follow world/events.csv from=start for=0s'
    [ $code != 0 ] || problem="$problem followed"
    [ -s err ] || problem="$problem no message"
    problem="$problem$(unharmed w.tailor)"
    [ -z "$problem" ] || break
  done
  verdict 'append and follow where files may not grow' "$problem"
  limited 300 start.tailor -c 'generate more.csv users=400 days=40'
  problem="$(expect 3 'more' 'File too large')$(left . 'more*')"
  cp start.tailor w.tailor
  limited 100 w.tailor -c 'save copy.tailor'
  verdict 'generate and save where files may not grow' "$problem$(expect 3 'make room')$(left . 'copy*')$(unharmed w.tailor)"
else
  skip 'load where files may not grow' 'no prlimit'
  skip 'append and follow where files may not grow' 'no prlimit'
  skip 'generate and save where files may not grow' 'no prlimit'
fi

# ---- devices ----

if [ -c /dev/full ]; then
  run start.tailor -c 'help > /dev/full'
  verdict '> /dev/full' "$(expect 3 '/dev/full' 'No space')$([ -c /dev/full ] || echo 'the device is gone')"
  problem=
  for form in box csv tsv json jsonl markdown line; do
    $tailor --output $form start.tailor -c 'events by=type' >/dev/full 2>err </dev/null
    code=$?
    problem="$problem$(expect 3 'No space')"
  done
  verdict 'standard output on a full disk' "$problem"
else
  skip '> /dev/full' 'no such device'
  skip 'standard output on a full disk' 'no such device'
fi
exit $failed
