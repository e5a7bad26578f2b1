# What the fault tests share: a folder to work in, the program, one TAP line a check.
tailor="${TAILOR:-./tailor} --no-init"
case $tailor in /*) ;; *) tailor=$PWD/$tailor ;; esac
tests=${TESTS_DIR:-$(cd "$(dirname "$0")/.." && pwd)}
export TAILOR_DATASETS="${DATASETS_DIR:-$tests/../datasets}"
work=$(mktemp -d) || exit 99
clean_up() { rm -rf "$work"; }
trap clean_up EXIT
cd "$work" || exit 99
failed=0
i=0

# verdict WHAT PROBLEM: one TAP line; no problem is a pass
verdict() {
  i=$((i + 1))
  if [ -z "$2" ]; then
    echo "ok $i - $1"
  else
    failed=1
    echo "not ok $i - $1: $2"
    [ ! -s err ] || head -n 20 err | sed 's/^/# /'
  fi
}
skip() {
  i=$((i + 1))
  echo "ok $i - $1 # SKIP $2"
}
# run ARGUMENTS...: standard output to out, standard error to err, the exit code to $code
run() {
  $tailor "$@" >out 2>err </dev/null
  code=$?
}
# expect EXIT WORD...: what is wrong with the last run, or nothing
expect() {
  want=$1
  shift
  [ $code = "$want" ] || { echo "exit $code, not $want"; return; }
  for word; do grep -qF -e "$word" err || { echo "no word of \"$word\""; return; }; done
}
# state FILE [OPTION]: all that the workspace holds, without what differs from run to run. A program that was ended early enough has
# made no workspace: it is empty all the same.
state() {
  $tailor ${2:-} --output csv "$1" -c verify -c datasets -c models -c features -c 'events by=type' 2>&1 </dev/null |
    grep -v -e 'hint: ' -e '^new workspace '
}
# random SEED N FROM TO: N numbers with three decimals
random() {
  awk -v seed="$1" -v n="$2" -v from="$3" -v to="$4" \
    'BEGIN { srand(seed); for (k = 0; k < n; k++) printf "%.3f\n", from + rand() * (to - from) }'
}
