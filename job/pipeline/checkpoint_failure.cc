// SPDX-License-Identifier: Apache-2.0
#include "job/pipeline/checkpoint_failure.h"

namespace sluice {

Failure to_failure(const CheckpointError& error) {
  using Kind = CheckpointError::Kind;
  const std::string message = error.what();
  switch (error.kind()) {
    case Kind::locked:
      return {Fault::locked, message,
              "wait for that run, or end it with SIGTERM, which loses nothing; a worker beside it "
              "needs "
              "its own --worker or --checkpoint"};
    case Kind::other_pipeline:
      return {Fault::configuration, message, "give each pipeline its own --checkpoint"};
    case Kind::newer:
      return {Fault::configuration, message, "run the newer version, or name another --checkpoint"};
    case Kind::unwritable:
      return {Fault::configuration, message,
              "name a file on a local disk that this user may write"};
    case Kind::disk_full:
      return {Fault::temporary, message, "free some space and run again; nothing is lost"};
    case Kind::damaged:
      return {Fault::temporary, message,
              "run again: the file is set aside, and the queue delivers again what it held"};
  }
  bug("an unknown checkpoint error");
}

}  // namespace sluice
