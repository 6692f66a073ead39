# Turns sql/NNNN_*.sql into one source file with the function of job/warehouse/migrations.h.
function(embed_sql target folder)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/[0-9][0-9][0-9][0-9]_*.sql)
  list(SORT files)
  set(generated ${CMAKE_BINARY_DIR}/generated/migrations.cc)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${generated} "-DFILES=${files}"
            -P ${CMAKE_SOURCE_DIR}/cmake/write_migrations.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/write_migrations.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${generated})
endfunction()
