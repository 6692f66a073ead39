// SPDX-License-Identifier: Apache-2.0
#include "job/cli/command.h"
#include "job/config/pipeline_file.h"

namespace sluice {

int schema_command(const Settings&, const Environment&) {
  print(pipeline_schema() + "\n");
  return 0;
}

}  // namespace sluice
