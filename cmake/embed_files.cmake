# Files that travel inside the program. HEADER declares `std::span<const TYPE> FUNCTION()`; TYPE begins with the name and
# the text of a file. The files come in the order in which they are given.
function(embed_files target header type function)
  set(generated ${CMAKE_BINARY_DIR}/generated/${function}.cc)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${generated} -DHEADER=${header} -DTYPE=${type} -DFUNCTION=${function}
            "-DFILES=${ARGN}" -P ${CMAKE_SOURCE_DIR}/cmake/write_embedded.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/write_embedded.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${generated})
endfunction()
