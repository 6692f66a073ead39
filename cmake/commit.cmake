# build_commit() of job/base/build.h, for the program alone: in the libraries it stays "unknown". Looked up at each
# build, written when it is another. Two ways to run it: included it adds the file to the program; as a script
# (cmake -D FILE=… -D SOURCE=… -P) it writes it.

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(commit_file ${CMAKE_BINARY_DIR}/commit.cc)
  add_custom_target(sluice_commit BYPRODUCTS ${commit_file}
    COMMAND ${CMAKE_COMMAND} -D FILE=${commit_file} -D SOURCE=${CMAKE_SOURCE_DIR} -P ${CMAKE_CURRENT_LIST_FILE}
    COMMENT "" VERBATIM)
  target_sources(sluice PRIVATE ${commit_file})
  add_dependencies(sluice sluice_commit)
  return()
endif()

set(commit unknown)
# Of our own repository: the sources may lie unpacked in somebody else's.
if(EXISTS ${SOURCE}/.git)
  execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE result)
  if(result EQUAL 0)
    set(commit ${head})
  endif()
endif()
file(CONFIGURE OUTPUT ${FILE} CONTENT
"#include \"job/base/build.h\"

std::string_view sluice::build_commit() { return \"${commit}\"; }
")
