# cmake --install: command, library, headers, man page, bash completion, pkg-config file and CMake package.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS sigmapi ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/sigmapi DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(TARGET sigmapi_command)
  install(TARGETS sigmapi_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${CMAKE_SOURCE_DIR}/src/cli/sigmapi.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/completion.bash COMMAND sigmapi_command --completion > ${CMAKE_BINARY_DIR}/completion.bash DEPENDS sigmapi_command)
  add_custom_target(sigmapi_completion ALL DEPENDS ${CMAKE_BINARY_DIR}/completion.bash)
  install(FILES ${CMAKE_BINARY_DIR}/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME sigmapi)
endif()
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# relative to where the file itself ends up, so that an installation can be moved
file(RELATIVE_PATH SP_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/sigmapi.pc.in ${CMAKE_BINARY_DIR}/sigmapi.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/sigmapi.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/sigmapi-config.cmake.in ${CMAKE_BINARY_DIR}/sigmapi-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sigmapi PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sigmapi-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/sigmapi-config.cmake ${CMAKE_BINARY_DIR}/sigmapi-config-version.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sigmapi)
