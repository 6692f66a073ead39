#!/usr/bin/env bash
# fuzz.sh PROGRAM SECONDS JOBS SEED: each target for so long, JOBS at a time, a line for each. New inputs and crashes are
# kept beside PROGRAM. SEED 0 is another one each time. Ends with 1 when there was a crash.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# A pipeline file or a message of 4 KiB has every shape that a longer one has; a checkpoint has pages.
longest() { [ "$1" = checkpoint ] && echo 65536 || echo 4096; }

fuzz_one() {
  local program=$1 seconds=$2 seed=$3 target=$4
  local kept=$(dirname "$program")/$target
  mkdir -p "$kept/corpus"
  local options=(-seed="$seed" -max_total_time="$seconds" -max_len="$(longest "$target")" -timeout=20 -rss_limit_mb=1024
    -print_final_stats=1 -artifact_prefix="$kept/")
  [ -f "$here/$target.dict" ] && options+=(-dict="$here/$target.dict")
  FUZZ=$target nice "$program" "${options[@]}" "$kept/corpus" "$here/corpus/$target" > "$kept/log" 2>&1
  local status=$?
  local runs new
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$kept/log")
  new=$(sed -n 's/^stat::new_units_added: *//p' "$kept/log")
  if [ $status -eq 0 ]; then
    printf '%-16s %10s runs %6s new  ok\n' "$target" "$runs" "$new"
    return 0
  fi
  printf '%-16s CRASHED: %s\n' "$target" "$(grep -m 1 -E 'does not hold|ERROR|runtime error' "$kept/log")"
  local input
  input=$(sed -n "s|.*Test unit written to ||p" "$kept/log" | tail -1)
  printf '  again: FUZZ=%s %s %s\n  all of it: %s\n' "$target" "$program" "$input" "$kept/log"
  return 1
}

if [ "${1:-}" = --one ]; then
  fuzz_one "$2" "$3" "$4" "$5"
else
  find "$here" -name '*_fuzz.cc' -printf '%f\n' | sed 's/_fuzz.cc$//' | sort |
    xargs -P "$3" -I '{}' "$0" --one "$1" "$2" "$4" '{}'
  [ $? -eq 0 ]
fi
