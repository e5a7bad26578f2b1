#!/bin/sh
# kill -9 at random moments while data is loaded, models are trained, things are dropped, the workspace is saved. After it the
# workspace is as it was behind the last command whose result was printed, or behind the one that was running; whole, and fit
# for the next command.
. "${TESTS_DIR:-$(dirname "$0")/..}/faults/common.sh"
echo 1..5

cat >script <<'END'
load a as first
train pop
train itemknn
train ials epochs=1
load b as second
train ease
feature define clicks = count(type = 'click') over 7d by user
drop first
load a as first
train pop
train itemknn
load b as second replace=yes
train pop
drop pop
drop second
END
commands=$(wc -l <script)
for world in a b; do
  mkdir $world
  $tailor -c "generate $world/events.csv users=$([ $world = a ] && echo 60 || echo 90) days=20" \
    >out 2>err </dev/null || verdict 'data' 'generate failed'
done

# What the workspace holds behind each command.
$tailor before.tailor -c verify >out 2>&1 </dev/null
state before.tailor >state.0
n=0
while IFS= read -r command; do
  n=$((n + 1))
  $tailor before.tailor -c "$command" >out 2>err </dev/null || verdict "$command" 'failed'
  state before.tailor >state.$n
done <script

now() { date +%s%N | cut -c 1-13; }
begin=$(now)
$tailor --output json whole.tailor -f script >out 2>err </dev/null || verdict 'the script' 'failed'
took=$(($(now) - begin))
lines=$(wc -l <out)
[ "$lines" = "$commands" ] || verdict 'one document a command' "$lines of $commands"

# killed WORKSPACE SECONDS SCRIPT: starts it and kills it; the number of commands that were acknowledged into $acknowledged
killed() {
  : >acknowledged # it may be killed before it has opened its output
  $tailor --output json "$1" -f "$3" >acknowledged 2>err </dev/null &
  victim=$!
  sleep "$2"
  kill -9 $victim 2>/dev/null
  wait $victim 2>/dev/null
  acknowledged=$(wc -l <acknowledged)
}

problem=
for seconds in $(random 1 ${KILLS:-16} 0.01 "$(awk -v ms=$took 'BEGIN { print ms / 1000 }')"); do
  rm -f w.tailor*
  killed w.tailor "$seconds" script
  state w.tailor >got
  if ! cmp -s got state.$acknowledged && ! cmp -s got state.$((acknowledged + 1)); then
    problem="after $seconds s and $acknowledged commands the workspace is none of those expected"
    diff state.$acknowledged got >err
    break
  fi
  run w.tailor -c 'load tiny as another' -c 'train pop' -c 'recommend ana'
  [ $code = 0 ] || { problem="after $seconds s the next command fails"; break; }
done
verdict "killed while loading, training, dropping: nothing acknowledged is lost, nothing is half there" "$problem"

# `save` copies to another name and goes on with it: the old one stays, the new one is whole or not there.
printf 'save copy.tailor\nstatus\n' >saving
problem=
begin=$(now)
$tailor before.tailor -f saving >out 2>err </dev/null || problem='save failed'
took=$(($(now) - begin))
state before.tailor >want
for seconds in $(random 2 ${KILLS:-8} 0.005 "$(awk -v ms=$took 'BEGIN { print ms / 1000 }')"); do
  rm -f copy.tailor*
  killed before.tailor "$seconds" saving
  state before.tailor | cmp -s want || { problem="after $seconds s the old workspace has changed"; break; }
  if [ -e copy.tailor ]; then
    state copy.tailor | cmp -s want || { problem="after $seconds s the copy is not whole"; break; }
  elif [ $acknowledged -gt 0 ]; then
    problem="after $seconds s the copy was acknowledged and is not there"
    break
  fi
  run before.tailor -c 'save copy.tailor replace=yes' -c status
  [ $code = 0 ] || { problem="after $seconds s it cannot be saved again"; break; }
done
verdict 'killed while saving: the old workspace stays, the copy is whole or not there' "$problem"

# Loads and appends, killed 200 times: the workspace holds what was acknowledged, or one step more, and every sum holds: those of the
# data are looked at whenever they are opened.
events() { $tailor --output csv grow.tailor "$@" -c datasets 2>/dev/null </dev/null | awk -F, 'NR > 1 && $1 == "grow" { print $5 }'; }
rows=$(($(wc -l <a/events.csv) - 1))
awk 'NR <= 41' a/events.csv >more.csv
printf 'append more.csv again=yes\n%.0s' 1 2 3 4 5 6 >appending
{ echo 'load a/events.csv as grow replace=yes'; cat appending; } >growing
begin=$(now)
$tailor grow.tailor -f growing >out 2>err </dev/null || verdict 'the script' 'failed'
took=$(($(now) - begin))
before=$(events)
problem= k=0
[ "$before" = $((rows + 240)) ] || problem="$before events, not $((rows + 240))"
for seconds in $(random 5 ${GROW_KILLS:-200} 0.005 "$(awk -v ms=$took 'BEGIN { print ms / 1000 }')"); do
  [ -z "$problem" ] || break
  k=$((k + 1))
  if [ $((k % 4)) = 0 ]; then
    killed grow.tailor "$seconds" growing
    one=$before two=$rows
    [ $acknowledged = 0 ] || { one=$((rows + 40 * (acknowledged - 1))); two=$((one + 40)); }
  else
    killed grow.tailor "$seconds" appending
    one=$((before + 40 * acknowledged))
    two=$((one + 40))
  fi
  before=$(events $([ $((k % 8)) != 0 ] || echo '-c verify'))
  [ "$before" = $one ] || [ "$before" = $two ] ||
    problem="after $seconds s and $acknowledged commands there are ${before:-no} events, neither $one nor $two"
done
verdict "killed $k times while loading and appending" "$problem"

# What is followed is taken in once, however often that is cut off: how far the file was read is kept with the rows.
problem=
head -n 1 a/events.csv >live.csv
$tailor live.tailor -c 'load a/events.csv as grow' >out 2>err </dev/null || problem='load failed'
for seconds in $(random 6 ${FOLLOW_KILLS:-12} 0.02 0.25); do
  tail -n 30 a/events.csv >>live.csv
  $tailor live.tailor -c 'follow live.csv every=0s' >out 2>err </dev/null &
  victim=$!
  tail -n 20 a/events.csv >>live.csv
  sleep "$seconds"
  kill -9 $victim
  wait $victim 2>/dev/null
done
run live.tailor -c 'follow live.csv for=0s' -c verify
mv live.tailor grow.tailor
want=$((rows + ${FOLLOW_KILLS:-12} * 50))
[ $code = 0 ] || problem="exit $code"
[ "$(events)" = $want ] || problem="$(events) events, not $want"
verdict 'killed while following: every row is there once' "$problem"

# SIGTERM and SIGHUP end the job and the script; what was acknowledged is there.
problem=
for signal in TERM HUP; do
  for seconds in $(random 3 5 0.02 0.2); do
    rm -f w.tailor*
    : >acknowledged
    $tailor --output json w.tailor -f script >acknowledged 2>err </dev/null &
    victim=$!
    sleep "$seconds"
    kill -s $signal $victim 2>/dev/null
    wait $victim
    code=$?
    acknowledged=$(wc -l <acknowledged)
    state w.tailor >got
    cmp -s got state.$acknowledged || cmp -s got state.$((acknowledged + 1)) || problem="SIG$signal after $seconds s: not a state expected"
    [ $acknowledged = $commands ] || [ $code = 130 ] || [ $code -ge 128 ] || problem="SIG$signal after $seconds s: exit $code"
    [ ! -e w.tailor-wal ] || [ $code -ge 131 ] || problem="SIG$signal after $seconds s: the workspace was not closed"
  done
done
verdict 'told to end: the job stops, the workspace is closed' "$problem"
exit $failed
