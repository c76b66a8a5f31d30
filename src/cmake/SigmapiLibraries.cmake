# The families: each .def line is a registration and a source entry.
sp_family(FORMAT_SRCS   src/io/formats.def          SP_FORMAT   src/io/formats)
sp_family(FUNCTION_SRCS src/expr/functions.def      SP_FUNCTION src/expr/functions FILE_ARG 2)
sp_family(NODE_SRCS     src/plan/nodes.def          SP_NODE     src/plan/nodes)
sp_family(PLANDOC_SRCS  src/formats/formats.def     SP_PLAN_FORMAT src/formats FOLDERS_ONLY)
sp_family(RULE_SRCS     src/optimize/rules.def      SP_RULE     src/optimize/rules NEEDS_DIR tests/golden/rules)
sp_family(OPERATOR_SRCS src/exec/operators.def      SP_OPERATOR src/exec/operators)
sp_family(RENDERER_SRCS viz/renderers.def           SP_RENDERER viz/renderers)
sp_family(COMMAND_SRCS  src/cli/commands.def        SP_COMMAND  src/cli/commands)
file(GLOB RESOLVE_SRCS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/plan/resolve/*.c)

# The layers, lowest first; BELOW is what a layer may call (tests/lint/layers checks the includes).
sp_layer(sp_base     src/base LIBS Threads::Threads PkgConfig::CJSON m)
sp_layer(sp_data     src/data     BELOW sp_base)
sp_layer(sp_io       src/io       BELOW sp_data MEMBERS ${FORMAT_SRCS}
         LIBS PkgConfig::ZSTD PkgConfig::LZ4 PkgConfig::ZLIB PkgConfig::BROTLI ${SNAPPY_LIBRARY})
sp_layer(sp_expr     src/expr     BELOW sp_data MEMBERS ${FUNCTION_SRCS})
sp_layer(sp_plan     src/plan     BELOW sp_io sp_expr MEMBERS ${NODE_SRCS} ${RESOLVE_SRCS})
sp_layer(sp_formats  src/formats  BELOW sp_plan MEMBERS ${PLANDOC_SRCS})
sp_layer(sp_optimize src/optimize BELOW sp_plan MEMBERS ${RULE_SRCS})
sp_layer(sp_exec     src/exec     BELOW sp_plan MEMBERS ${OPERATOR_SRCS})
sp_layer(sp_report   src/report   BELOW sp_formats sp_optimize sp_exec)
sp_layer(sp_viz      viz          BELOW sp_report MEMBERS ${RENDERER_SRCS} LIBS PkgConfig::GVC ${GV_CORE} ${GV_DOT})
sp_layer(sp_session  src/session  BELOW sp_report)
sp_check_orphans()

get_property(SP_ALL_LAYERS GLOBAL PROPERTY SP_LAYERS)
set(objects)
foreach(l IN LISTS SP_ALL_LAYERS)
  list(APPEND objects $<TARGET_OBJECTS:${l}>)
endforeach()

# libsigmapi, from the objects of every layer.
if(objects)
  add_library(sigmapi STATIC ${objects})
  target_include_directories(sigmapi PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_link_libraries(sigmapi PRIVATE $<BUILD_INTERFACE:sp_flags> PUBLIC Threads::Threads m PkgConfig::CJSON PkgConfig::GVC ${GV_CORE} ${GV_DOT}
    PkgConfig::ZSTD PkgConfig::LZ4 PkgConfig::ZLIB PkgConfig::BROTLI ${SNAPPY_LIBRARY})
endif()

if(EXISTS ${CMAKE_SOURCE_DIR}/src/cli/main.c)
  file(GLOB CLI_SRCS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cli/*.c)
  add_executable(sigmapi_command ${CLI_SRCS} ${COMMAND_SRCS})
  set_target_properties(sigmapi_command PROPERTIES OUTPUT_NAME sigmapi RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  target_link_libraries(sigmapi_command PRIVATE sp_flags sigmapi)
endif()
