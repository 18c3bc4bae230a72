# bzip2 comes with a makefile alone.
cmake_minimum_required(VERSION 3.25)
project(bzip2 LANGUAGES C)
add_library(bz2 STATIC blocksort.c huffman.c crctable.c randtable.c compress.c decompress.c bzlib.c)
target_compile_definitions(bz2 PRIVATE _FILE_OFFSET_BITS=64)
install(TARGETS bz2 ARCHIVE)
install(FILES bzlib.h DESTINATION include)
