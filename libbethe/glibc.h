/*
 * Binds to the old versions of symbols that glibc moved from libpthread to libc.so.6
 * in 2.32 and 2.34, so that a library built on a new system loads on an old one
 * (manylinux2014: glibc 2.17). Wheels are built with
 * CGO_CFLAGS="-O2 -include .../glibc.h" CGO_LDFLAGS=-lpthread.
 */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__ASSEMBLER__)
#define BETHE_OLD(name) __asm__(".symver " #name "," #name "@GLIBC_2.2.5")
BETHE_OLD(pthread_attr_getstack);
BETHE_OLD(pthread_attr_getstacksize);
BETHE_OLD(pthread_attr_setdetachstate);
BETHE_OLD(pthread_attr_setstacksize);
BETHE_OLD(pthread_create);
BETHE_OLD(pthread_detach);
BETHE_OLD(pthread_getattr_np);
BETHE_OLD(pthread_getspecific);
BETHE_OLD(pthread_join);
BETHE_OLD(pthread_key_create);
BETHE_OLD(pthread_setspecific);
BETHE_OLD(pthread_sigmask);
#endif
