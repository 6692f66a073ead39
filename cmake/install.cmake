# What `make install` puts under PREFIX. Nothing starts by it: the systemd units are templates, which wait for a name.

install(TARGETS sluice)
install(FILES LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# To read and to copy from. What is built from the sources stays with them.
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/sluice)
install(DIRECTORY pipelines airflow_dag cron prometheus grafana DESTINATION ${CMAKE_INSTALL_DATADIR}/sluice
  PATTERN __pycache__ EXCLUDE PATTERN Containerfile* EXCLUDE PATTERN systemd EXCLUDE)
# Not CMAKE_INSTALL_LIBDIR: systemd looks into lib, below /usr and /usr/local, on every distribution.
install(DIRECTORY cron/systemd/ DESTINATION lib/systemd/system
  FILES_MATCHING PATTERN *.service PATTERN *.timer)

# Written by the program, which knows its commands and options.
set(completions ${CMAKE_BINARY_DIR}/completions)
foreach(shell_and_file bash:bash-completion/completions/sluice zsh:zsh/site-functions/_sluice
        fish:fish/vendor_completions.d/sluice.fish)
  string(REPLACE ":" ";" shell_and_file ${shell_and_file})
  list(GET shell_and_file 0 shell)
  list(GET shell_and_file 1 file)
  get_filename_component(folder ${file} DIRECTORY)
  install(CODE "file(MAKE_DIRECTORY \"${completions}/${folder}\")
    execute_process(COMMAND \"$<TARGET_FILE:sluice>\" completion ${shell}
      OUTPUT_FILE \"${completions}/${file}\" COMMAND_ERROR_IS_FATAL ANY)")
  install(FILES ${completions}/${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder})
endforeach()
