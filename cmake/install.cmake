# What `cmake --install` puts on a system: the program, the public headers, and two libraries that find_package(blobsmith)
# gives, each merged of the rooms that it consists of:
#   blobsmith::emulator   runs blobs; needs nothing but threads
#   blobsmith::blobsmith  everything
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(EMULATOR_ROOMS room_core room_compute room_vpu_format room_emulator)
add_library(blobsmith_emulator STATIC)
add_library(blobsmith_library STATIC)
foreach(room ${ROOM_TARGETS})
  if(room IN_LIST EMULATOR_ROOMS)
    target_sources(blobsmith_emulator PRIVATE $<TARGET_OBJECTS:${room}>)
  else()
    target_sources(blobsmith_library PRIVATE $<TARGET_OBJECTS:${room}>)
  endif()
endforeach()
target_link_libraries(blobsmith_emulator PRIVATE Threads::Threads)
target_link_libraries(blobsmith_library PUBLIC blobsmith_emulator
                      PRIVATE pugixml::pugixml protobuf::libprotobuf PNG::PNG ${TURBOJPEG} ${LIBZIP}
                              ${LEVELDB} ${HDF5} BZip2::BZip2 LibArchive::LibArchive)
target_sources(blobsmith_library PRIVATE $<TARGET_OBJECTS:importer_protos>)
set_target_properties(blobsmith_emulator PROPERTIES EXPORT_NAME emulator LINKER_LANGUAGE CXX)
set_target_properties(blobsmith_library PROPERTIES EXPORT_NAME blobsmith OUTPUT_NAME blobsmith LINKER_LANGUAGE CXX)
foreach(target blobsmith_emulator blobsmith_library)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
endforeach()
add_library(blobsmith::emulator ALIAS blobsmith_emulator)
add_library(blobsmith::blobsmith ALIAS blobsmith_library)

set(PACKAGE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/blobsmith)
install(DIRECTORY include/blobsmith DESTINATION include)
install(TARGETS blobsmith RUNTIME COMPONENT program)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/blobsmith COMPONENT program)
install(TARGETS blobsmith_shared LIBRARY)
install(TARGETS blobsmith_emulator EXPORT blobsmith-emulator ARCHIVE)
install(TARGETS blobsmith_library EXPORT blobsmith-library ARCHIVE)
install(EXPORT blobsmith-emulator NAMESPACE blobsmith:: DESTINATION ${PACKAGE_FOLDER})
install(EXPORT blobsmith-library NAMESPACE blobsmith:: DESTINATION ${PACKAGE_FOLDER})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/blobsmith-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/blobsmith-config.cmake ${CMAKE_BINARY_DIR}/blobsmith-config-version.cmake
        DESTINATION ${PACKAGE_FOLDER})

# What the Python package has inside (pyproject.toml).
install(TARGETS blobsmith_shared LIBRARY DESTINATION lib COMPONENT python EXCLUDE_FROM_ALL)
install(TARGETS blobsmith RUNTIME DESTINATION bin COMPONENT python EXCLUDE_FROM_ALL)
