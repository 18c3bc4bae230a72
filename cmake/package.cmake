# `cpack` makes a .deb and a tarball of the program and the service (make dist: static ones, which need nothing).
set(CPACK_PACKAGE_NAME blobsmith)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Trained networks to MyriadX blobs for OAK cameras and NCS2")
set(CPACK_PACKAGE_CONTACT "The blobsmith authors <blobsmith@example.invalid>")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};${PROJECT_NAME};program;/;${CMAKE_BINARY_DIR};${PROJECT_NAME};service;/")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "bubblewrap, ca-certificates")  # of the service
set(CPACK_PACKAGE_FILE_NAME blobsmith-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)  # otherwise that of this machine
endif()
if(NOT BLOBSMITH_LIBRARIES)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
include(CPack)
