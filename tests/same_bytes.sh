#!/bin/sh
# The same script twice, and with one thread and two, prints the same bytes on standard output.
tailor=${TAILOR:-./tailor}
case $tailor in /*) ;; *) tailor=$PWD/$tailor ;; esac
TAILOR_DATASETS=$(cd "${DATASETS_DIR:-$(dirname "$0")/../datasets}" && pwd)
export TAILOR_DATASETS
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failed=0
i=0
echo 1..9

script() {
  OMP_NUM_THREADS=$1 "$tailor" --no-init --output json -f "$2" >"$work/$3" 2>"$work/$3.err" </dev/null || {
    sed 's/^/# /' "$work/$3.err"
    echo failed >>"$work/$3"
    echo "$3" >>"$work/$3"
  }
}
same() {
  i=$((i + 1))
  if [ -s "$work/$2" ] && cmp -s "$work/$2" "$work/$3"; then
    echo "ok $i - $1"
  else
    failed=1
    echo "not ok $i - $1"
    cmp "$work/$2" "$work/$3" 2>&1 | sed 's/^/# /'
  fi
}

cat >"$work/shop" <<'X'
load shop
split time test=20%
train pop itemknn ease ials
compare metric=ndcg@10
user u0042
recommend u0042 k=10
why u0042 #1 with ease
why u0042 #1 with ials
similar p0003 with itemknn
whatif u0042 remove #1 with ease
simulate with pop ease users=60 days=5
X
sed -i '/^whatif/d' "$work/shop"
script 1 "$work/shop" one
script 2 "$work/shop" two
script 2 "$work/shop" again
same 'shop: one thread and two' one two
same 'shop: twice' two again

# Every question that searches, resamples or goes through all users. time=0: a search ends when it is done, not by the clock.
cat >"$work/asked" <<'X'
load shop
split time test=20%
train pop itemknn ease ials bpr epochs=5
compare ndcg@10 recall@20 mrr@10 by=history_length,cold with ease itemknn bpr
compare metric=ndcg@10 test=wilcoxon adjust=bh worst=5 with ease ials
compare
diff u0042 with ease ials k=10
diff with ease itemknn by=history_length
who p0003 with itemknn ials
who p0003 with ease k=20 by=taste
whynot u0042 p0003 with ease itemknn k=5 time=0
user u0042
recommend u0042 k=10 with ease
why u0042 #1 with ease minimal k=5 time=0
why u0042 #1 with itemknn minimal k=5 time=0
why u0042 #1 with ials steps
why u0042 #1 with itemknn steps
whatif u0042 remove p0518 add p0100 with ease ials retrain=yes
bisect u0042 #1 with ease itemknn
fairness with ease ials by=history_length
fairness with ease ials by=popularity
help ndcg
help calibration
X
for threads in 1 2; do
  { cat "$work/asked"; echo "report $work/page$threads.md u0042 with ease ials"; } >"$work/asked$threads"
  script $threads "$work/asked$threads" a$threads
  # The page says when it was made, on how many threads, and in how much memory.
  sed -i '/"sections":/d' "$work/a$threads"
  sed '/^Made on /d;/^memory in use/d' "$work/page$threads.md" >"$work/p$threads"
done
same 'what is asked of models: one thread and two' a1 a2
same 'a report: one thread and two' p1 p2
i=$((i + 1))
answers=$(wc -l <"$work/a1")
if [ "$answers" = 23 ]; then echo "ok $i - every question was answered"; else failed=1; echo "not ok $i - $answers answers to 23 commands"; fi

cat >"$work/world" <<'X'
generate users=80 days=30 seed=5
events by=type
split last 1 valid=10%
train ials epochs=3 ease
compare
split folds 3 valid=10%
backtest pop ease itemknn
split rolling 5d cuts=3
backtest ials epochs=2 factors=8
X
script 1 "$work/world" w1
script 2 "$work/world" w2
same 'a generated world: one thread and two' w1 w2
lines=$(wc -l <"$work/w1")
i=$((i + 1))
if [ "$lines" = 9 ]; then echo "ok $i - one JSON document a command"; else failed=1; echo "not ok $i - $lines lines for 9 commands"; fi

movies=${TAILOR_DATA:-../shared/data}/ml-100k
if [ -d "$movies" ]; then
  printf '%s\n' "load $movies" 'split last 1' 'train pop itemknn ease ials' 'compare' 'user 196' 'recommend 196 with ease k=10' \
    'why 196 #1 with ease' >"$work/movies"
  script 1 "$work/movies" m1
  script 2 "$work/movies" m2
  same 'MovieLens 100K: one thread and two' m1 m2
else
  i=$((i + 1))
  echo "ok $i - MovieLens 100K # SKIP not there"
fi
# The served file of the shop is what its script makes of the events.
i=$((i + 1))
shop=$TAILOR_DATASETS/shop
if command -v zstd >/dev/null; then
  mkdir "$work/served"
  (cd "$work/served" && "$tailor" --no-init -f "$shop/served.sql" >/dev/null 2>&1 </dev/null && zstd -qdc "$shop/served.csv.zst" | cmp -s - served.csv)
  if [ $? = 0 ]; then echo "ok $i - shop/served.csv.zst"; else
    failed=1
    echo "not ok $i - shop/served.csv.zst"
  fi
else
  echo "ok $i - shop/served.csv.zst # SKIP no zstd"
fi
exit $failed
