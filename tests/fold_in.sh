#!/bin/sh
# Classes that train a vector for each user score histories instead. What `help CLASS` says of how close that comes is what is
# measured here, on MovieLens 100K without the last film of each user: the number before "on MovieLens 100K".
tailor=${TAILOR:-./tailor}
data=${TAILOR_DATA:-$(dirname "$0")/../../shared/data}
if [ ! -d "$data/ml-100k" ]; then
  echo "1..0 # SKIP no real data (TAILOR_DATA)"
  exit 0
fi
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

classes='ials ialspp bpr warp lmf nmf svd svdpp'
"$tailor" --no-init --output jsonl -c "load '$data/ml-100k'" -c 'split last 1' -c "train $classes" -c models \
  2>"$work/err" >"$work/out" || { cat "$work/err"; exit 99; }

echo "1..$(echo "$classes" | wc -w)"
for class in $classes; do
  said=$("$tailor" --no-init --output tsv -c "help $class" 2>/dev/null |
    sed -n 's/.*overlap at 20 of \(\.[0-9]*\) .*MovieLens 100K.*/\1/p' | head -n 1)
  measured=$(sed -n 's/.*"model":"'"$class"'",.*"fold_in":\([0-9.]*\).*/\1/p' "$work/out" | head -n 1)
  if awk "BEGIN { d = ${said:-9} - ${measured:-0}; exit !(d < .01 && d > -.02) }"; then
    echo "ok - $class: said $said, measured $measured"
  else
    echo "not ok - $class: help says $said, measured $measured"
  fi
done
