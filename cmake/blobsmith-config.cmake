# find_package(blobsmith) gives blobsmith::emulator and blobsmith::blobsmith;
# find_package(blobsmith COMPONENTS emulator) only the former, which needs fewer libraries.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/blobsmith-emulator.cmake)
set(blobsmith_emulator_FOUND TRUE)
if(NOT blobsmith_FIND_COMPONENTS STREQUAL "emulator")
  find_dependency(pugixml)
  find_dependency(Protobuf)
  find_dependency(PNG)
  find_dependency(BZip2)
  find_dependency(LibArchive)
  include(${CMAKE_CURRENT_LIST_DIR}/blobsmith-library.cmake)
endif()
