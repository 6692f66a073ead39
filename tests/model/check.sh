#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the model of the window protocol, checkpoint/window_protocol.pml, exhaustively with spin.
#
#   check.sh [GROUP...]   holds, breaks, happens; without one: all three
#   check.sh --deep       more faults: minutes, and up to 6 GB
#
# One line a configuration: verdict, name, states, seconds. Fails when one is not as the table says: a promise broken, a
# mutation that is not, or by another promise, a search that was cut short, a state that is never reached.
set -euo pipefail

model=$(cd "$(dirname "$0")/../../checkpoint" && pwd)/window_protocol.pml

# Group | what | macros | expected: holds, ends (holds, and no run is infinite), P1 … P6 (the one broken first), infinite
# (P6: a run without end), reached (the state that PROBE names)
table='
holds   | 2 messages                               |                                          | holds
holds   | two versions of the pipeline             | DISPUTED FAULTS=1                        | holds
holds   | 1 message, two versions, 3 faults        | DISPUTED MESSAGES=1 FAULTS=3             | holds
holds   | 3 messages                               | MESSAGES=3 FAULTS=1                      | holds
holds   | 1 worker, 2 windows                      | WORKERS=1 WINDOWS=2 DISPUTED             | holds
holds   | 2 workers, 2 windows each                | WINDOWS=2 FAULTS=1                       | holds
holds   | synchronous standby                      | STANDBY                                  | holds
holds   | dead-letter-queue                        | FORWARD DISPUTED FAULTS=1                | holds
holds   | leave                                    | LEAVE DISPUTED FAULTS=1                  | holds
holds   | counted ids, the digest protects         | COUNTED_IDS WORKERS=1                    | holds
holds   | id made at open, the digest protects     | ID_AT_OPEN FAULTS=1                      | holds
holds   | id made at open, the digest protects, 1  | ID_AT_OPEN WORKERS=1                     | holds
holds   | no digest, the random id protects        | NO_DIGEST FAULTS=1                       | holds
holds   | no recovery, accounts aside              | NO_RECOVERY WITHOUT=4 FAULTS=1           | holds
holds   | no run is infinite                       | FAULTS=1                                 | ends
holds   | no run is infinite, two versions         | DISPUTED MESSAGES=1                      | ends

breaks  | delete before load                       | DELETE_BEFORE_LOAD FAULTS=0              | P1
breaks  | a cut during COMMIT taken for loaded     | CUT_BELIEVED FAULTS=1                    | P1
breaks  | COMMIT with a warning taken for loaded   | WARNING_NOT_READ STANDBY FAULTS=1        | P1
breaks  | nothing written when learned by id       | NO_WRITE STANDBY FAULTS=1                | P1
breaks  | forwards only what it rejected itself    | FORWARD_OWN FORWARD FAULTS=1             | P1
breaks  | forwards before the COMMIT               | FORWARD_FIRST FORWARD DISPUTED FAULTS=1  | P2
breaks  | no ledger                                | NO_LEDGER FAULTS=1                       | P2
breaks  | success of a stale delete believed       | STALE_DELETE_BELIEVED FAULTS=1           | P2
breaks  | rejections written before, outside       | REJECT_BEFORE FAULTS=1                   | P2
breaks  | rejections written after, outside        | REJECT_AFTER FAULTS=1                    | P3
breaks  | leave writes rejections to the ledger    | LEAVE_IN_LEDGER LEAVE FAULTS=0           | P3
breaks  | the same, P3 aside                       | LEAVE_IN_LEDGER LEAVE FAULTS=0 WITHOUT=3 | P1
breaks  | no recovery                              | NO_RECOVERY FAULTS=1                     | P4
breaks  | a new id for each load                   | NEW_ID_EACH_LOAD FAULTS=1                | P4
breaks  | what was staged counted when learned     | STAGED_COUNTS                            | P4
breaks  | SELECT instead of the id insert          | SELECT_INSTEAD FAULTS=1                  | P5
breaks  | the same, P5 aside                       | SELECT_INSTEAD FAULTS=1 WITHOUT=5        | P4
breaks  | a message added to a sealed window       | ADD_TO_SEALED FAULTS=0                   | P5
breaks  | counted ids, no digest                   | COUNTED_IDS NO_DIGEST WORKERS=1          | P5
breaks  | id made at open, no digest               | ID_AT_OPEN NO_DIGEST                     | P5
breaks  | keys not sorted                          | UNSORTED FAULTS=1                        | P6
breaks  | a dead client keeps its locks            | NO_TIMEOUTS FAULTS=1                     | P6
breaks  | a delete in vain asked for again         | STALE_ASKED_AGAIN FAULTS=1               | infinite

happens | both hold the same two messages          | PROBE=shared                             | reached
happens | load again, the first COMMIT in flight   | PROBE=load_again FAULTS=1                | reached
happens | waits for a key of the other worker      | PROBE=behind_a_worker FAULTS=1           | reached
happens | waits for a key of a dead client         | PROBE=behind_an_orphan FAULTS=1          | reached
happens | waits for a window whose file is gone    | PROBE=behind_a_lost_window               | reached
happens | two dead clients in doubt                | PROBE=two_orphans                        | reached
happens | 23505, then ON CONFLICT                  | PROBE=again_by_insert FAULTS=1           | reached
happens | learned by id                            | PROBE=learned_by_id FAULTS=1             | reached
happens | duplicates only                          | PROBE=duplicates_only FAULTS=1           | reached
happens | a stale receipt                          | PROBE=stale FAULTS=1                     | reached
happens | redelivered after its delete             | PROBE=redelivered FAULTS=1               | reached
happens | fallen back behind its COMMIT            | PROBE=fallen_back                        | reached
happens | a row here, a rejection there            | PROBE=disagreed DISPUTED FAULTS=1        | reached
happens | committed, and not on the standby        | PROBE=not_on_standby STANDBY FAULTS=1    | reached
happens | learned, and waits for the standby       | PROBE=learned_at_standby STANDBY FAULTS=1 | reached
happens | forwarded, and nobody knows              | PROBE=sent_and_not_known FORWARD FAULTS=1 | reached
happens | forwards what the other rejected        | PROBE=another_forwards FORWARD FAULTS=1  | reached
happens | left in the queue, and learned           | PROBE=left_and_learned LEAVE FAULTS=1    | reached
happens | taken by the redrive policy              | PROBE=redriven LEAVE FAULTS=1            | reached
happens | another content under a known id         | PROBE=another_content COUNTED_IDS WORKERS=1 | reached

deep    | 2 messages, 3 faults                     | FAULTS=3                                 | holds
deep    | two versions                             | DISPUTED                                 | holds
deep    | 3 messages                               | MESSAGES=3                               | holds
deep    | 1 message, 5 faults, two versions        | MESSAGES=1 DISPUTED FAULTS=5             | holds
deep    | 1 worker, 2 windows, 3 faults            | WORKERS=1 WINDOWS=2 DISPUTED FAULTS=3    | holds
deep    | standby, 3 faults                        | STANDBY FAULTS=3                         | holds
deep    | dead-letter-queue                        | FORWARD DISPUTED                         | holds
deep    | leave                                    | LEAVE DISPUTED                           | holds
deep    | id made at open, the digest protects     | ID_AT_OPEN                               | holds
deep    | no digest, the random id protects        | NO_DIGEST                                | holds
deep    | no recovery, accounts aside              | NO_RECOVERY WITHOUT=4                    | holds
deep    | no run is infinite                       |                                          | ends
'

# Prints what pan found: holds, P1 … P6, or why there is no verdict.
verdict() {
  local report=$1
  if grep -q "assertion violated" "$report"; then
    sed -n 's/.*assertion violated ((\([0-9]\)==.*/P\1/p' "$report" | grep -m 1 . || echo "another assertion"
  elif grep -q "pan:1: non-progress cycle" "$report"; then
    echo infinite
  elif ! grep -q "errors: 0" "$report" || grep -Eiq "search not completed|too small|out of memory|memlim|hash-?compact|bitstate" "$report"; then
    echo "cut short"
  else
    echo holds
  fi
}

check() {
  local name=$1 macros=$2 expected=$3 found states seconds options=(-DSAFETY) flags=()
  case $expected in ends | infinite) options=(-DNP) flags=(-l) ;; esac
  case $expected in holds | ends) options+=("$optimize") ;; esac
  rm -f pan*
  # shellcheck disable=SC2046,SC2086  # macros are words
  spin $(printf -- '-D%s ' $macros) -a "$model" > spin.log || { cat spin.log >&2; return 1; }
  "${CC:-cc}" -w "${options[@]}" -DMEMLIM="$memory_mb" -o pan pan.c
  ./pan -m100000 -w"$table_bits" "${flags[@]}" > report || true
  found=$(verdict report)
  [ "$found" = holds ] && [ "$expected" = ends ] && found=ends
  [ "$found" = P7 ] && found=reached
  states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' report)
  seconds=$(sed -n 's/.*elapsed time \([0-9.]*\) .*/\1/p' report)
  printf '%-8s %-41s %10s states %7s s  %s\n' "$found" "$name" "${states:-?}" "${seconds:-?}" "$macros"
  if [ "$found" != "$expected" ]; then
    echo "^ expected: $expected" >&2
    return 1
  fi
}

groups=" ${*:-holds breaks happens} "
memory_mb=2000
table_bits=22
optimize=-O1
if [ "$groups" = " --deep " ]; then groups=" deep " memory_mb=6000 table_bits=25 optimize=-O2; fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

checked=0
failed=0
while IFS='|' read -r group name macros expected; do
  group=${group// /} expected=${expected// /}
  [[ -n $group && $groups == *" $group "* ]] || continue
  read -r name <<< "$name"
  read -r macros <<< "$macros"
  checked=$((checked + 1))
  check "$name" "${macros:-FAULTS=2}" "$expected" || failed=$((failed + 1))
done <<< "$table"

echo "$checked configurations, $failed not as expected"
[ "$checked" -gt 0 ] && [ "$failed" -eq 0 ]
