#!/bin/sh
# Reports: a page that needs nothing beside itself, in which nothing of the data is more than text.
. "$(dirname "$0")/files.sh"
echo 1..13
has() { grep -qF "$2" "$1" || { echo "missing in $1: $2" >>log; false; }; }

prepare='load tiny;split last 1;train pop itemknn ease'
IFS=';'
set --
for line in $prepare; do set -- "$@" -c "$line"; done
unset IFS

run "$@" -c 'report page.html ana chloe' && has page.html '<code>compare with ' && has page.html '<h2>User chloe</h2>' &&
  has page.html '<code>why ana id:' && has page.html '</html>' && [ "$(grep -c '<!DOCTYPE' page.html)" = 1 ]
result 'a page of data, models and two users' $?
! grep -qE '(src|href)="?(http|//)|<script|<link' page.html
result 'it needs nothing beside itself' $?
run "$@" -c 'report page.md ana k=2' && has page.md '## User ana' && has page.md '| model | ndcg@10 |' && ! grep -q '<table' page.md
result 'the same as Markdown' $?
run "$@" -c 'compare > table.html' && has table.html '<title>compare' && has table.html '<th scope="col">model</th>'
result 'any table as a page' $?

printf '%s\n' 'user,item,type' 'u1,i1,<script>alert(1)</script>' 'u1,i2,b' 'u2,i2,b' "u2,'\`date\`' \"&amp;,b" 'u3,i1,b' >odd.csv
run -c 'load odd.csv' -c 'train itemknn' -c 'report odd.html u1' && has odd.html '&lt;script&gt;alert(1)&lt;/script&gt;' && ! grep -q '<script' odd.html &&
  has odd.html '&quot;&amp;amp;'
result 'text of the data is text' $?

if command -v gnuplot >/dev/null; then
  has page.html '</svg>' && ! grep -qi '<title>gnuplot' page.html && has page.html '<svg role="img" aria-label="ndcg@10'
  result 'plots are drawn by gnuplot, and say what they show' $?
else
  skip 'plots are drawn by gnuplot, and say what they show' 'no gnuplot'
fi

# The reason is asked of the model that the leaderboard has first, about the first item of its own list.
best=$(sed -n 's|.*<h3>Why the first by \(.*\)</h3>.*|\1|p' page.html | head -n 1)
run "$@" --output tsv -c "select item from recommend('$best', 'ana', 1)"
top=$(tail -n 1 log)
[ -n "$best" ] && has page.html "<code>why ana id:$top with $best</code>"
result 'the reason is that of the first item by the best model' $?
mkdir bin
PATH=$work/bin run "$@" -c 'report plain.html ana' && has plain.html '<pre>' && ! grep -q '<svg' plain.html
result 'without it they are dots' $?

run "$@" -c 'report page.txt'
[ $? = 3 ] && has log 'should end in .html or .md' && [ ! -e page.txt ] &&
  { run "$@" -c 'report other.html nobody'; [ $? = 3 ] && [ ! -e other.html ]; }
result 'what cannot be written is refused' $?
# Titles that would be markup, a code of the terminal, a line of their own, or a page full.
long=$(printf '%10240s' '' | tr ' ' x)
{
  echo 'user,item,time,title'
  for u in 1 2 3 'u<b>`' 5; do
    for i in 1 2 3 4; do [ $(((i + ${#u}) % 4)) = "$u" ] || echo "u$u,i$i,$((1700000000 + i * 60)),@$i"; done
    echo "u$u,i5,1700000500,$long"
  done
} | sed 's|@1|"</text></svg><script>alert(1)</script>"|; s|@2|"\x1b[2J ""><img src=x onerror=alert(1)>"|; s|@3|"a\n# line \xe2\x80\xae"|; s|@4|`code` \| [x](y)|' >hostile.csv
printf 'user,item,rank\nu1,i2,1\nu1,i<script>,2\nu<script>,i1,1\n' >shown.csv
run -c 'load hostile.csv item.title=title' -c 'split last 1' -c 'train pop itemknn ease' -c 'import shown.csv as prod' \
  -c 'report hostile.html u1 u2 u3 "uu<b>`"' -c 'report hostile.md u1 u2 u3 "uu<b>`"' && has hostile.html '&lt;script&gt;alert(1)' && has hostile.md '&lt;script&gt;alert(1)' &&
  ! grep -qE '<script|<img|<b>' hostile.html && ! sed '/^    /d; s/`[^`]*`//g' hostile.md | grep -E '<script|<img|<b>|^# line|[^\\]\]\(y' >>log &&
  ! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" hostile.html hostile.md log && ! grep -q "$(printf '\342\200\256')" hostile.html hostile.md log
result 'hostile titles and ids, as a page and as Markdown' $?

# What is claimed comes first, not what there is to say of lists that were served.
run "$@" -c 'import tiny/served.csv as prod' -c 'report first.md' -c 'report first.html' &&
  sed -n '1,4p' first.md | grep -q 'cannot be told apart' && has first.md 'prod was not trained on this split'
result 'the first sentence is what can be claimed' $?
has first.html '<thead><tr>' && [ "$(grep -c '<tbody>' first.html)" = "$(grep -c '</tbody>' first.html)" ]
result 'heads of tables are heads, which print repeats on each page' $?

ln -s /dev/full full.html
run "$@" -c 'report full.html ana'
[ $? = 3 ] && has log 'cannot write full.html' && { run "$@" -c 'report nowhere/page.md'; [ $? = 3 ] && has log 'cannot write nowhere/page.md'; }
result 'a full disk and a folder that is not there' $?
exit $failed
