// SPDX-License-Identifier: Apache-2.0
#include "job/archive/archive_queue.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/empty_pipe.h"

namespace sluice {
namespace {

class ArchiveQueueTest : public testing::Test {
 protected:
  ArchiveQueueTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-archive-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    pipeline_.name = "p";
  }
  ~ArchiveQueueTest() override { std::filesystem::remove_all(folder_); }

  std::string put(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return folder_ + "/" + name;
  }
  std::string put_numbers(const std::string& name, int first, int count) const {
    std::string lines;
    for (int i = first; i < first + count; ++i) lines += "{\"n\":" + std::to_string(i) + "}\n";
    return put(name, lines);
  }
  std::unique_ptr<ArchiveQueue> open(std::vector<std::string> files) {
    ArchiveInput input;
    input.files = std::move(files);
    input.format.sent_at_ms = 1'700'000'000'000;
    return std::make_unique<ArchiveQueue>(std::move(input), pipeline_, Secret(std::string(32, 'k')),
                                          folder_ + "/cursor");
  }
  QueueAnswer answer(ArchiveQueue& queue) {
    std::vector<QueueAnswer> answers;
    while (answers.empty()) queue.wait(0, answers);
    EXPECT_EQ(answers.size(), 1U);
    return std::move(answers.front());
  }
  std::vector<Message> receive(ArchiveQueue& queue, int most = 10) {
    queue.receive(++ticket_, most, 1, 30);
    return std::get<Received>(answer(queue)).messages;
  }
  std::vector<Message> receive_all(ArchiveQueue& queue) {
    std::vector<Message> all;
    while (true) {
      std::vector<Message> some = receive(queue);
      if (some.empty()) return all;
      for (Message& message : some) all.push_back(std::move(message));
    }
  }
  void remove(ArchiveQueue& queue, const std::vector<Message>& messages) {
    std::vector<std::string> handles;
    for (const Message& message : messages) handles.push_back(message.receipt);
    queue.remove(++ticket_, handles);
    const QueueAnswer told = answer(queue);
    for (const EntryResult& result : std::get<BatchAnswered>(told).results) {
      EXPECT_TRUE(result.done);
    }
  }
  std::int64_t visible(ArchiveQueue& queue) {
    queue.count(++ticket_);
    return std::get<Counted>(answer(queue)).counts.visible;
  }
  static std::string first_of(const std::vector<Message>& messages) {
    return messages.empty() ? "" : messages.front().body;
  }

  std::string folder_;
  Pipeline pipeline_;
  Ticket ticket_ = 0;
};

TEST_F(ArchiveQueueTest, gives_out_every_record_of_every_file_once_and_in_order) {
  const auto queue = open({put_numbers("a", 0, 13), put("b", "\n\n"), put_numbers("c", 13, 12)});
  const std::vector<Message> all = receive_all(*queue);
  ASSERT_EQ(all.size(), 25U);
  std::set<std::string> receipts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].body, "{\"n\":" + std::to_string(i) + "}");
    EXPECT_EQ(all[i].receive_count, 1U);
    receipts.insert(all[i].receipt);
  }
  EXPECT_EQ(receipts.size(), 25U);
  EXPECT_TRUE(queue->at_end());
}

TEST_F(ArchiveQueueTest, what_was_given_out_and_not_deleted_comes_again_in_the_next_run) {
  const std::vector<std::string> files = {put_numbers("a", 0, 30), put_numbers("b", 30, 30)};
  {
    const auto queue = open(files);
    remove(*queue, receive(*queue));
    remove(*queue, receive(*queue));
    const auto third = receive(*queue);
    const auto fourth = receive(*queue);
    remove(*queue, fourth);  // not the third
    queue->end(false);
  }
  const auto queue = open(files);
  EXPECT_EQ(queue->start(), (ArchivePosition{0, 20}));
  const std::vector<Message> all = receive_all(*queue);
  EXPECT_EQ(all.size(), 40U) << "the third ten, the fourth again, and the other file";
  EXPECT_EQ(first_of(all), "{\"n\":20}");
}

TEST_F(ArchiveQueueTest, what_a_window_of_an_earlier_run_held_is_not_given_out_once_it_is_deleted) {
  const std::vector<std::string> files = {put_numbers("a", 0, 30)};
  std::vector<Message> carried;
  {
    const auto queue = open(files);
    remove(*queue, receive(*queue));
    carried = receive(*queue);
    queue->end(false);
  }
  const auto queue = open(files);
  remove(*queue, carried);
  const std::vector<Message> all = receive_all(*queue);
  EXPECT_EQ(all.size(), 10U);
  EXPECT_EQ(first_of(all), "{\"n\":20}");
}

TEST_F(ArchiveQueueTest, a_receipt_of_other_inputs_takes_nothing_away) {
  std::vector<Message> of_another;
  {
    const auto queue = open({put_numbers("a", 0, 10)});
    of_another = receive(*queue);
    queue->end(false);
  }
  const auto queue = open({put_numbers("b", 0, 10)});
  remove(*queue, of_another);
  EXPECT_EQ(receive_all(*queue).size(), 10U);
}

TEST_F(ArchiveQueueTest, once_all_is_loaded_the_next_run_begins_at_the_start) {
  const std::vector<std::string> files = {put_numbers("a", 0, 10)};
  for (int round = 0; round < 2; ++round) {
    const auto queue = open(files);
    EXPECT_EQ(queue->start(), ArchivePosition{});
    remove(*queue, receive_all(*queue));
    queue->end(true);
  }
}

TEST_F(ArchiveQueueTest, a_file_that_changed_is_read_from_the_start) {
  const std::string file = put_numbers("a", 0, 20);
  {
    const auto queue = open({file});
    remove(*queue, receive(*queue));
    queue->end(false);
  }
  put_numbers("a", 0, 21);
  EXPECT_EQ(receive_all(*open({file})).size(), 21U);
}

TEST_F(ArchiveQueueTest, one_message_in_two_files_is_told_by_a_rising_receive_count) {
  const auto queue = open({put_numbers("a", 0, 5), put_numbers("b", 0, 5)});
  const std::vector<Message> all = receive_all(*queue);
  ASSERT_EQ(all.size(), 10U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(all[i].id, all[i + 5].id);
    EXPECT_EQ(all[i].receive_count, 1U);
    EXPECT_EQ(all[i + 5].receive_count, 2U);
  }
}

TEST_F(ArchiveQueueTest, what_stands_before_the_damage_is_given_out_before_it_is_told) {
  const auto queue = open({put("a", "[{\"n\":1},{\"n\":2},")});
  EXPECT_EQ(receive(*queue).size(), 2U);
  for (int time = 0; time < 2; ++time) {
    queue->receive(++ticket_, 10, 1, 30);
    const QueueAnswer told = answer(*queue);
    ASSERT_TRUE(std::holds_alternative<CallFailed>(told));
    EXPECT_EQ(std::get<CallFailed>(told).failure.fault(), Fault::configuration);
  }
  EXPECT_FALSE(queue->at_end());
}

TEST_F(ArchiveQueueTest, what_is_left_is_estimated_and_nothing_only_at_the_end) {
  const auto queue = open({put_numbers("a", 100, 40'000), put_numbers("b", 100, 40'000)});
  EXPECT_EQ(visible(*queue), 0) << "nothing is known yet";
  for (int i = 0; i < 2'000; ++i) receive(*queue);
  EXPECT_NEAR(static_cast<double>(visible(*queue)), 60'000, 12'000) << "what is read ahead counts";
  receive_all(*queue);
  EXPECT_EQ(visible(*queue), 0);
}

TEST_F(ArchiveQueueTest, that_is_told_to_stop_gives_out_nothing_more) {
  const auto queue = open({put_numbers("a", 0, 20)});
  queue->receive(1, 10, 1, 30);
  queue->stop_receiving();
  EXPECT_TRUE(std::get<Received>(answer(*queue)).messages.empty());
}

class ArchivePipe : public ArchiveQueueTest {
 protected:
  Received receive_waiting(int wait_s) {
    queue_->receive(++ticket_, 10, wait_s, 30);
    return std::get<Received>(answer(*queue_));
  }

  EmptyPipe pipe_{folder_ + "/pipe", "{\"n\":1}\n{\"n\":2}\n", 10};
  std::unique_ptr<ArchiveQueue> queue_ = open({pipe_.path()});
};

TEST_F(ArchivePipe, that_has_nothing_yet_is_not_at_its_end) {
  const Received none = receive_waiting(0);
  EXPECT_TRUE(none.messages.empty());
  EXPECT_TRUE(none.more_comes);
  pipe_.give();
  EXPECT_EQ(first_of(receive_waiting(0).messages), "{\"n\":1}");
  EXPECT_TRUE(receive_waiting(0).more_comes) << "of the second there is only the beginning";
  EXPECT_FALSE(queue_->at_end());
  pipe_.give();
  EXPECT_EQ(first_of(receive_waiting(0).messages), "{\"n\":2}");
  pipe_.end();
  EXPECT_FALSE(receive_waiting(0).more_comes);
  EXPECT_TRUE(queue_->at_end());
}

TEST_F(ArchivePipe, is_waited_for_and_read_on_when_something_comes) {
  queue_->receive(++ticket_, 10, 60, 30);
  std::vector<QueueAnswer> answers;
  queue_->wait(0, answers);
  ASSERT_TRUE(answers.empty());
  std::jthread writer([this] { pipe_.give(); });
  while (answers.empty()) queue_->wait(60'000, answers);
  EXPECT_EQ(first_of(std::get<Received>(answers.front()).messages), "{\"n\":1}");
}

TEST_F(ArchivePipe, holds_up_neither_who_wakes_nor_a_stop) {
  queue_->receive(++ticket_, 10, 60, 30);
  std::vector<QueueAnswer> answers;
  queue_->wait(0, answers);
  queue_->wake();
  queue_->wait(60'000, answers);
  EXPECT_TRUE(answers.empty());
  queue_->stop_receiving();
  queue_->wait(60'000, answers);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(std::get<Received>(answers.front()).messages.empty());
}

TEST_F(ArchiveQueueTest, a_file_that_is_not_there_is_refused_at_once) {
  const std::string file = put_numbers("a", 0, 20);
  EXPECT_THROW(open({file, folder_ + "/missing"}), Failure);
}

}  // namespace
}  // namespace sluice
