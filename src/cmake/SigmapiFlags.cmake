add_library(sp_flags INTERFACE)
target_include_directories(sp_flags INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_compile_definitions(sp_flags INTERFACE _GNU_SOURCE SP_VERSION="${PROJECT_VERSION}" $<$<BOOL:${SP_NO_CLONES}>:SP_NO_CLONES>
  $<$<CONFIG:Debug>:SP_DEBUG_ARENA>)
target_compile_options(sp_flags INTERFACE -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wwrite-strings -Wswitch-enum -Wformat=2 -Wundef -Wconversion -Wno-sign-conversion -fno-common
  -fvisibility=hidden -fno-math-errno -ffp-contract=off $<$<BOOL:${SP_WERROR}>:-Werror>)
if(SP_SANITIZE)
  target_compile_options(sp_flags INTERFACE -fsanitize=${SP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(sp_flags INTERFACE -fsanitize=${SP_SANITIZE})
  if(CMAKE_C_COMPILER_ID MATCHES "Clang" AND SP_SANITIZE MATCHES "undefined")
    # clang also reports NULL + 0, which an empty array gives and which C2y defines
    target_compile_options(sp_flags INTERFACE -fno-sanitize=pointer-overflow)
  endif()
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(GVC REQUIRED IMPORTED_TARGET libgvc libcgraph)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlidec libbrotlienc)
find_library(SNAPPY_LIBRARY snappy REQUIRED)
# The two Graphviz plugins that place a plan, linked so that no other plugin (and no font library) is loaded at run time.
pkg_get_variable(GVC_LIBDIR libgvc libdir)
find_library(GV_CORE gvplugin_core PATHS ${GVC_LIBDIR}/graphviz REQUIRED)
find_library(GV_DOT gvplugin_dot_layout PATHS ${GVC_LIBDIR}/graphviz REQUIRED)
get_filename_component(GV_PLUGIN_DIR ${GV_CORE} DIRECTORY)
set(CMAKE_BUILD_RPATH ${GV_PLUGIN_DIR})
set(CMAKE_INSTALL_RPATH ${GV_PLUGIN_DIR})
