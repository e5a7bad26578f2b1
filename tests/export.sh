#!/bin/sh
# Exports, as files: what is read back is what was written, to the byte; headers of arrays; nothing half-written.
data=${TAILOR_DATA:-../shared/data}
case $data in /*) ;; *) data=$PWD/$data ;; esac
. "$(dirname "$0")/files.sh"
echo 1..19

# Ids that try everything, values, gaps, a list of context.
printf '%s\n' 'user,item,type,time,value,note' '"a,b","say ""x""",view,2025-01-02T00:00:00Z,4.5,' '=1+1,-3,buy,2025-01-01T00:00:00.000001Z,0.1,"two' \
  'lines"' 'é,a b,view,2025-01-03T00:00:00Z,,x' '=1+1,"a,b",view,2025-01-01T00:00:00.000001Z,1e-7,"a	tab"' '0042,+7,view,2025-01-05T00:00:00Z,3,y' >odd.csv
run -c 'load odd.csv' -c 'export events one.csv' -c 'load one.csv' -c 'export events two.csv' -c 'split last 1' -c 'export events parts.csv split=yes'
cmp one.csv two.csv >>log 2>&1 && [ "$(wc -l <one.csv)" = 7 ] && grep -q '^=1+1,-3,buy,2025-01-01T00:00:00.000001Z,0.1,' one.csv
result 'odd ids, values and times come back from csv' $?

run -c 'load one.csv as c' -c 'export events x.tsv' -c 'export events x.jsonl' -c 'load x.jsonl as j' -c 'export events j.csv'
cmp one.csv j.csv >>log 2>&1
result 'the same from json lines' $?

run -c 'load parts.csv as p' -c 'split given' -c 'export events test.csv part=test'
tail -n +2 test.csv | sed 's/,test$//' >test.csv.rows
[ -s test.csv.rows ] &&
grep ',test$' parts.csv | sed 's/,test$//' | cmp - test.csv.rows >>log 2>&1
result 'the parts of a split come back by split given' $?

# A file of test rows splits the data as it was; so it does after the file is gone, in the next session.
run -c 'load tiny as o' -c 'split last 1 valid=yes' -c 'export events o.parts.csv split=yes' -c 'export events o.test.csv part=test' \
  -c 'export events o.valid.csv part=valid' -c 'split none' -c 'split given o.test.csv valid=o.valid.csv' ws &&
  mv o.test.csv gone.csv && run -c 'export events o.again.csv split=yes' ws && cmp o.parts.csv o.again.csv >>log 2>&1 &&
  ! run -c 'split given o.valid.csv o.test.csv' ws && grep -q o.test.csv log && run -c 'split given gone.csv o.valid.csv' -c 'split fold=2' ws &&
  printf 'user,item\nnobody,tent\nana,tent\n' >some.csv && printf 'user,item\nnobody,tent\n' >none.csv &&
  run -c 'split given some.csv' ws && grep -q '1 of the 2 rows names no event of o' log && ! run -c 'split given none.csv' ws &&
  grep -q 'none of the 1 row ' log
result 'files of test rows' $?

if [ -d "$data/ml-100k" ]; then
  run -c "load $data/ml-100k/u1.base $data/ml-100k/u1.test" -c 'split given' -c 'export events u1.csv part=test' -c "split given '$data/ml-100k/u[1-5].test'" \
    -c 'export events f1.csv part=test' -c 'split fold=5' -c 'export events f5.csv part=test' -c "split given $data/ml-100k/u5.test" \
    -c 'export events u5.csv part=test' -c "split given $data/ml-100k/ua.test $data/ml-100k/ub.test" -c 'backtest pop' &&
    cmp u1.csv f1.csv >>log 2>&1 && cmp u5.csv f5.csv >>log 2>&1 && [ "$(wc -l <f5.csv)" = 20001 ]
  result 'MovieLens: folds as published' $?
else
  skip 'MovieLens: folds as published' 'not there'
fi

run -c 'load odd.csv' -c 'export events atomic format=recbole'
[ $? = 0 ] && grep -q '2 texts' log && grep -q 'two lines' atomic/atomic.inter && [ "$(wc -l <atomic/atomic.inter)" = 6 ]
result 'atomic files turn line ends of texts into blanks' $?

run -c 'load tiny' -c 'export events t.csv' -c 'export events at format=recbole' -c 'export items i.csv' -c 'export users u.csv' \
  -c 'load at as atomic' -c 'export events t2.csv' -c 'export items i2.csv' -c 'export users u2.csv'
cmp t.csv t2.csv >>log 2>&1 && cmp i.csv i2.csv >>log 2>&1 && cmp u.csv u2.csv >>log 2>&1
result 'atomic files come back: events, items, users' $?

run -c 'load t.csv as t' -c 'load items i.csv' -c 'load users u.csv' -c 'export items i3.csv' -c 'export users u3.csv'
cmp i.csv i3.csv >>log 2>&1 && cmp u.csv u3.csv >>log 2>&1
result 'items and users come back' $?

printf 'user\titem\n3\t1\n3\t9\n1\t1\n1\t2\n1\t9\n' >numbers.tsv
run -c 'load numbers.tsv' -c 'split last 1' -c 'export interactions lists format=lists'
[ "$(cat lists/train.txt)" = '3 1
1 1 2' ] && [ "$(cat lists/test.txt)" = '3 9
1 9' ] && [ ! -e lists/user_list.txt ]
result 'lists of numbers keep the numbers' $?

run -c 'load tiny' -c 'split last 1' -c 'export interactions named format=lists' -c 'load named as n' -c 'split given' -c 'export interactions again format=lists'
cmp named/train.txt again/train.txt >>log 2>&1 && cmp named/test.txt again/test.txt >>log 2>&1 && [ "$(sed -n 2p named/user_list.txt)" = 'ana 0' ]
result 'lists come back, names are numbered' $?

run -c 'load tiny' -c 'export interactions arrays format=npy'
bad=0
while read -r array type n; do
  text="{'descr': '$type', 'fortran_order': False, 'shape': ($n,), }"
  { printf '\223NUMPY\001\000v\000'; printf '%-117s\n' "$text"; } >want
  head -c 128 "arrays/$array.npy" | cmp - want >>log 2>&1 || bad=1
done <<'ARRAYS'
data <f4 18
indices <i4 18
indptr <i8 7
rows <i4 18
counts <i4 18
times <i8 18
ARRAYS
[ $bad = 0 ] && [ "$(ls arrays/*.npy | wc -l)" = 6 ] &&
  [ "$(od -v -An -t d8 -j 128 arrays/indptr.npy | xargs)" = '0 3 6 9 12 16 18' ] &&
  [ "$(od -v -An -t f4 -j 128 arrays/data.npy | xargs -n1 | awk '{s += $1} END {print s}')" = 22 ] &&
  [ "$(wc -c <arrays/rows.npy)" = $((128 + 18 * 4)) ]
result 'arrays: header and numbers' $?

python=
for p in python3 /usr/bin/python3; do "$p" -c 'import numpy' 2>/dev/null && python=$p && break; done
if [ -n "$python" ]; then
  "$python" - >log 2>&1 <<'P'
import numpy as n
d, i, p, r = (n.load("arrays/%s.npy" % x) for x in ("data", "indices", "indptr", "rows"))
assert d.dtype == n.float32 and p.dtype == n.int64 and len(p) == 7 and p[-1] == len(d) == len(i) == len(r)
assert all((r[p[u]:p[u + 1]] == u).all() for u in range(6)) and d.sum() == 22
P
  result 'NumPy reads them' $?
else
  skip 'NumPy reads them' 'not there'
fi

run -c 'load tiny' -c 'export interactions fm.libsvm'
awk '{for (f = 3; f <= NF; f++) {split($f, a, ":"); split($(f-1), b, ":"); if (a[1] + 0 <= b[1] + 0) exit 1}}' fm.libsvm &&
  [ "$(wc -l <fm.libsvm)" = 22 ] && [ "$(sed -n '2p;8p' fm.libsvm.columns.tsv)" = "$(printf '1\tuser\tana\n7\titem\ttent')" ]
result 'libsvm: ascending indices, named' $?

echo mine >kept.csv
! run -c 'load tiny' -c 'export events kept.csv' && [ "$(cat kept.csv)" = mine ] && ! run -c 'load tiny' -c 'export events nowhere/x.csv' &&
  ! run -c 'load tiny' -c 'export events x.xyz' && run -c 'load tiny' -c 'export events kept.csv replace=yes' && [ "$(ls | grep -c 'kept.csv')" = 1 ]
result 'nothing is overwritten unasked, nothing left behind' $?

# Every form of file for one table, several tables, lists of everybody and SQL, in a workspace that is only looked at; what
# stood there is replaced by a whole file or, without room, stays.
run -c 'load tiny as t' -c 'split last 1' -c 'train pop ease' forms
bad=0
while read -r rows command; do
  for form in csv tsv json jsonl md txt; do
    echo stale >"f.$form"
    run --readonly -c "$command > f.$form" forms && ! grep -q stale "f.$form" || bad=1
  done
  [ "$(wc -l <f.csv)" = "$rows" ] && [ "$(tr , '\t' <f.csv | head -n 1)" = "$(head -n 1 f.tsv)" ] || bad=2
  "$tailor" --no-init --readonly --output csv -c "$command" forms 2>>log </dev/null | cmp - f.csv >>log 2>&1 || bad=3
  run --readonly -c "$command | tee piped.tsv" forms && cmp piped.tsv f.tsv >>log 2>&1 || bad=4
  run --readonly -c "$command | head -n 1" forms && [ "$(wc -l <log)" = 1 ] || bad=5
  run --readonly -c "$command > nowhere/f.csv" forms && bad=6
  if [ -c /dev/full ]; then
    run --readonly -c "$command > /dev/full" forms && bad=7
    grep -q 'No space' log || bad=8
  fi
  if [ -n "$python" ]; then
    "$python" -c 'import json; json.load(open("f.json")); [json.loads(l) for l in open("f.jsonl")]' 2>>log || bad=9
  fi
done <<'COMMANDS'
6 recommend ana with ease k=5
12 split check leak=allow
25 recommend all with pop ease k=2
7 select user, count(*) n from events group by user;
COMMANDS
run -c 'select user from events > f.csv' forms || grep -q '; > f.csv' log || bad=10
[ $bad = 0 ] && [ "$(ls | grep -c 'f\.csv')" = 1 ]
result "every form of file, a pipe, no room ($bad)" $?

if [ -c /dev/full ]; then
  bad=0
  for form in csv tsv jsonl; do run --readonly -c "export events /dev/full format=$form" forms && bad=1; grep -q 'No space' log || bad=2; done
  ! run --readonly -c 'export interactions /dev/full format=libsvm' forms && run --readonly -c 'export events seen.csv' forms && [ "$(wc -l <seen.csv)" = 23 ] &&
    ! run --readonly -c 'split none' forms && [ $bad = 0 ]
  result 'exports of a workspace that is only looked at; a full disk' $?
else
  skip 'exports of a workspace that is only looked at; a full disk' 'not there'
fi

run -c 'load tiny' -c 'train pop' -c 'export user ana > u.json' -c 'recommend all with pop k=2 > all.csv'
if python3 -c '' 2>/dev/null; then
  python3 -c 'import json; u = json.load(open("u.json")); assert u["user"][0]["user"] == "ana" and len(u["events"]) == 4 and [x["rank"] for x in u["lists"]] == [1, 2, 3, 4, 5]' 2>>log
else
  grep -q '"user":"ana"' u.json
fi && [ "$(head -1 all.csv)" = 'model,user,rank,item,title,score' ]
result 'one user, everybody' $?

if [ -d "$data/gowalla" ] && [ -z "${QUICK:-}" ]; then
  run -c "load $data/gowalla" -c 'split given' -c 'export interactions g format=lists'
  sed 's/ *$//' "$data/gowalla/train.txt" | awk 'NF > 1' | cmp - g/train.txt >>log 2>&1 && sed 's/ *$//' "$data/gowalla/test.txt" | awk 'NF > 1' | cmp - g/test.txt >>log 2>&1
  result 'Gowalla: the published lists, to the byte' $?
else
  skip 'Gowalla: the published lists, to the byte' 'not there'
fi

# A run and its qrels hold what `compare` says, reckoned as trec_eval does: by score, ties by id, the last in the alphabet first.
run -c 'load tiny as t' -c 'split last 1' -c 'train pop ease' -c 'export qrels t.qrels' -c 'export run t.run with pop' -c 'set output json' \
  -c 'compare with pop metric=map@100' && [ "$(wc -l <t.qrels)" = 4 ] && grep -q '^ana 0 stove 1$' t.qrels &&
  ours=$(sed -n 's/.*"map@100":\([0-9.]*\).*/\1/p' log) && sort -k1,1 -k5,5gr -k3,3r t.run | awk -v ours="$ours" '
    NR == FNR { right[$1, $3] = 1; n[$1]++; next }
    $1 != user { user = $1; rank = hits = 0 }
    { rank++; if (($1, $3) in right) { hits++; sum[$1] += hits / rank } }
    END { for (u in n) { all += sum[u] / n[u]; users++ } d = all / users - ours; exit !(users == 4 && d < 1e-9 && d > -1e-9) }' t.qrels - &&
  ! run -c 'load tiny as t' -c 'export qrels t.qrels' && ! run -c "load one.csv as c" -c 'split last 1' -c 'export qrels c.qrels' && grep -q 'cannot be written as qrels' log
result 'a run and its qrels for trec_eval' $?

exit $failed
