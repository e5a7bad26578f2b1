#!/bin/sh
# What the README shows of the program is what it prints. A comment there, `shown: COMMAND | LINES`, says which lines of the answer to
# that command of the scripts below stand in the block behind it; all of them without LINES ("1-4,7,20-").
# UPDATE=1 writes the blocks anew: read the difference.
here=$(cd "${TESTS_DIR:-$(dirname "$0")}" && pwd)
readme=$here/../README.md
tailor=${TAILOR:-./tailor}
case $tailor in /*) ;; *) tailor=$PWD/$tailor ;; esac
export TAILOR_DATASETS="${DATASETS_DIR:-$here/../datasets}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
echo 1..1

# Behind each command one whose answer marks the end.
: >commands
: >out
for script in five_minutes debugging; do
  grep -v '^#' "$here/commands/$script.in" | grep . >these
  cat these >>commands
  awk '{ print; print "select '\''@@'\'' the_end;" }' these >script
  "$tailor" --no-init --output box -f script >answers 2>&1 </dev/null || { cat answers; exit 99; }
  cat answers >>out
done
awk -v outfile=out '
function lines_of(spec, n,    a, i, j, last, r) { # lines of the answer to command n
    if (spec == "") spec = "1-" count[n]
    gap = 0
    for (i = 1; i <= split(spec, a, ","); i++) {
        split(a[i], r, "-")
        if (gap) print "  ..."
        last = r[2] != "" ? r[2] : a[i] ~ /-$/ ? count[n] : r[1]
        for (j = r[1]; j + 0 <= last + 0; j++) print answer[n, j]
        gap = 1
    }
}
BEGIN {
    n = 1
    while ((getline line < outfile) > 0) {
        if (line ~ /the_end/) { count[n]--; n++; skip = 3; continue }
        if (skip) { skip--; continue }
        answer[n, ++count[n]] = line
    }
    n = 0
    while ((getline line < "commands") > 0) command[++n] = line
    ncommands = n
}
/^<!-- shown: / {
    print
    text = substr($0, 13, length($0) - 16)
    spec = ""
    if ((bar = index(text, " | ")) > 0) { spec = substr(text, bar + 3); text = substr(text, 1, bar - 1) }
    for (found = 1; found <= ncommands && index(command[found], text) != 1; found++) ;
    if (found > ncommands) { print "no command begins like: " text > "/dev/stderr"; exit 1 }
    getline; print
    print "tailor shop> " command[found]
    lines_of(spec, found)
    while ((getline line) > 0 && line !~ /^```/) ;
    print "```"
    next
}
{ print }' "$readme" >new || { echo "not ok 1 - the walk-through of the README"; exit 1; }
[ -z "${UPDATE:-}" ] || cp new "$readme"
if cmp -s new "$readme"; then
  echo 'ok 1 - the walk-through of the README is what the program prints'
else
  echo 'not ok 1 - the walk-through of the README is what the program prints'
  diff -u "$readme" new | sed 's/^/# /'
  exit 1
fi
