# -DBLOBSMITH_LIBRARIES=...: the libraries are archives (cmake/superbuild made them), which don't say what they need.
find_package(ZLIB REQUIRED)
find_library(LZMA lzma REQUIRED)
find_library(SNAPPY snappy REQUIRED)
list(APPEND LIBZIP ZLIB::ZLIB)
list(APPEND HDF5 ZLIB::ZLIB ${CMAKE_DL_LIBS} m)
list(APPEND LEVELDB ${SNAPPY} Threads::Threads)
set_property(TARGET LibArchive::LibArchive APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${LZMA} BZip2::BZip2 ZLIB::ZLIB)
# For cmake/serve.cmake.
set(ENV{PKG_CONFIG_LIBDIR} ${BLOBSMITH_LIBRARIES}/lib/pkgconfig)
set(PKG_CONFIG_ARGN --static)
# Of these the first in the program's row of libraries, so that its functions are taken, not the C library's.
find_library(MIMALLOC mimalloc)
# Programs that contain a library come with its licence.
install(DIRECTORY ${BLOBSMITH_LIBRARIES}/licenses DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/blobsmith COMPONENT program)
install(DIRECTORY ${BLOBSMITH_LIBRARIES}/licenses DESTINATION . COMPONENT python EXCLUDE_FROM_ALL)
