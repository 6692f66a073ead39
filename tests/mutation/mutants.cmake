# Each row is a fault that a good engineer could make, and the test that says so. See CMakeLists.txt.

mutant("a window is deleted before it is loaded"
  job/pipeline/drain.cc
  [[staging_.seal(held, new_id_());]]
  [[staging_.seal(held, new_id_()); begin_deletes(held); remove(held);]]
  simulation Share/Simulation.every_promise_is_kept_in_every_history/0)

mutant("what an earlier run left is not recovered"
  job/pipeline/drain.cc
  [[for (const Window& window : checkpoint_.unfinished()) {]]
  [[for (const Window& window : std::vector<Window>()) {]]
  simulation Share/Simulation.every_promise_is_kept_in_every_history/0)

mutant("a window that the ledger may have forgotten is loaded"
  job/pipeline/drain.cc
  [[held.carried && !limits_.archive &&]]
  [[false && !limits_.archive &&]]
  simulation Share/Simulation.every_promise_is_kept_in_every_history/0)

mutant("a run receives before it has deleted what an earlier one loaded"
  job/pipeline/drain_queue.cc
  [[!has_carried() && ]]
  ""
  unit DrainTest.deletes_that_an_earlier_run_left_come_before_the_first_receive)

mutant("no lease is ever extended"
  job/pipeline/drain_queue.cc
  [[if (visibility_s > 0) hide(handles, visibility_s, Call::Kind::extend);]]
  ""
  unit DrainTest.leases_are_extended_at_half_their_time_whatever_the_database_does)

mutant("entries of a batch that failed count as deleted"
  job/pipeline/deletes.cc
  [[if (!results[i].done && !results[i].sender_fault) {]]
  [[if (false) {]]
  unit DrainTest.entries_that_failed_for_now_are_deleted_again_and_only_those)

mutant("the older receipt of a message is kept"
  job/pipeline/staging.cc
  [[if (message.receive_count < count) return Accepted::again;]]
  [[return Accepted::again;]]
  simulation Share/Simulation.every_promise_is_kept_in_every_history/0)

mutant("a delivery of a message that is in its window already is not counted"
  job/pipeline/drain_events.cc
  [[if (accepted == Staging::Accepted::again) ++books_.duplicate;]]
  [[]]
  simulation Share/Simulation.every_promise_is_kept_in_every_history/0)

mutant("the digest of what was staged is not checked"
  checkpoint/contents.cc
  [[if (row.bytes(0) != packed::view(sha256(row.bytes(1)))) {]]
  [[if (false) {]]
  unit CheckpointOpening.a_flipped_bit_in_what_was_staged_is_found)

mutant("a mask needs no key"
  job/mask/mask_function.cc
  [[std::get<HmacSha256>(engine_).of(*form)]]
  [[UnkeyedDigest(UnkeyedDigest::Kind::sha256).of(*form)]]
  unit Mask.another_domain_and_another_key_give_another_mask)

mutant("messages are not entered in the ledger"
  job/warehouse/load.cc
  [[copy_keys(connection_, loader_.pipeline.name, fresh);]]
  ""
  integration Duplicates.one_that_is_not_marked_is_found_by_the_ledgers_key)

mutant("the ledger is written in the order of arrival"
  job/warehouse/load.cc
  [[std::ranges::sort(messages, {}, &StagedMessage::key);]]
  ""
  integration Load.rows_appear_in_the_order_of_the_ledger_otherwise)

mutant("a known window id stands for whatever contents"
  job/warehouse/load.cc
  [[known.at(0, 5) != to_hex(view(window_.digest))]]
  [[false]]
  integration Load.other_contents_under_a_known_id_are_not_taken_for_the_known_window)

mutant("rejections are written outside the transaction"
  job/warehouse/load.cc
  [[copy_rejections(connection_, loader_, rejected, target.refusals);]]
  [[commit(); copy_rejections(connection_, loader_, rejected, target.refusals);
    begin_transaction(connection_, loader_.limits, kDoing);]]
  integration Cut.before_commit_arrives_nothing_is_there_and_after_it_all_of_it_is)

mutant("what is left in the queue stands in the ledger"
  job/warehouse/load.cc
  [[copy_keys(connection_, loader_.pipeline.name, fresh);]]
  [[Messages all = fresh;
    all.insert(all.end(), left_.begin(), left_.end());
    std::ranges::sort(all, {}, &StagedMessage::key);
    copy_keys(connection_, loader_.pipeline.name, all);]]
  integration Leaving.what_stayed_comes_again_and_is_never_taken_for_a_duplicate)

mutant("a commit learned by its id writes nothing"
  job/warehouse/load.cc
  [[connection_.execute("SELECT pg_logical_emit_message(true, 'sluice', '')", kDoing);]]
  ""
  integration InDoubt.only_a_commit_that_the_standby_has_is_believed_or_learned)

mutant("the tag of a COMMIT is not read"
  job/warehouse/connection.cc
  [[return finish(wait).tag() == "COMMIT" && warnings_ == 0;]]
  [[finish(wait); return warnings_ == 0;]]
  integration Connection.commit_is_believed_only_by_its_tag_and_without_a_warning)

mutant("the warning of a COMMIT is not read"
  job/warehouse/connection.cc
  [[return finish(wait).tag() == "COMMIT" && warnings_ == 0;]]
  [[return finish(wait).tag() == "COMMIT";]]
  integration Connection.commit_is_believed_only_by_its_tag_and_without_a_warning)

mutant("window ids are counted"
  job/cli/one_run.cc
  [[random_128,]]
  [[[last = 0]() mutable { return WindowId{static_cast<std::uint8_t>(++last)}; },]]
  end_to_end WindowIds.those_of_runs_that_know_nothing_of_each_other_have_nothing_in_common)

mutant("what an earlier run left is finished from the newest window back"
  job/pipeline/drain.cc
  [[HeldWindow& held = windows_.emplace_back();]]
  [[HeldWindow& held = windows_.emplace_front();]]
  crash While/WindowMixes.a_run_killed_in_each_of_them_is_finished_by_the_next/a_window_is_copied)

mutant("a stop does not give back what is not staged"
  job/pipeline/drain_stop.cc
  [[hide(unstaged, 0, Call::Kind::give_back);]]
  ""
  unit DrainTest.a_signal_returns_what_is_unstaged_and_keeps_what_is_staged)

mutant("a record that was given out counts as loaded"
  job/archive/unfinished_records.cc
  [[return out_.empty() ? next_ : out_.front().position;]]
  [[return next_;]]
  unit UnfinishedRecords.what_is_loaded_ends_at_the_first_record_that_is_not)

mutant("what a backfill loads is forgotten by the day that it was sent"
  job/warehouse/ledger_days.cc
  [[w.loaded_at >= time.horizon]]
  [[false]]
  integration LedgerDays.pruning_drops_what_the_horizon_has_passed_but_not_what_was_loaded_since)

mutant("equal lines of one file are one message"
  job/archive/archive_messages.cc
  [[occurrences_.count(digest)]]
  [[0 * occurrences_.count(digest)]]
  end_to_end Backfill.loads_nothing_twice_where_archives_overlap_and_keeps_equal_lines_of_one)

mutant("a run that fails erases the last success"
  job/cli/metrics_files.cc
  [[if (!summary.succeeded()) return;]]
  ""
  end_to_end MetricsFiles.a_run_that_fails_leaves_the_last_success_alone)
