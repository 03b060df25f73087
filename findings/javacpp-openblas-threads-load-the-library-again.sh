#!/usr/bin/env bash
# JavaCPP's presets of OpenBLAS, 0.3.19-1.5.7 (ND4J's) and 0.3.30-1.5.12: blas_set_num_threads takes longer than many a product.
# Expected: the price of OpenBLAS's own openblas_set_num_threads, which stores a number where its threads exist already.
# Seen: the method loads the library again, which reads class properties, parses addresses, asks the file system and hashes, and looks for
#   functions of MKL by name, on every call: hundreds of microseconds, thousands of times the function itself through a kept pointer.
# Why it matters: it is what one calls around a step or a product, to keep OpenBLAS from the threads of others; in a token's generation, of
#   some 20 milliseconds, two calls take one of them, and a good part of what Java compiles meanwhile. This project keeps a pointer.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/Finding.java" <<'JAVA'
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

class Finding {
  static class Own extends openblas_nolapack.SetNumThreads {
    Own() {
      put(Loader.addressof("openblas_set_num_threads"));
    }
  }

  public static void main(String[] args) {
    Loader.load(openblas_nolapack.class);
    openblas_nolapack.blas_set_num_threads(2);
    Own own = new Own();
    double preset = 0, pointer = 0;
    for (int round = 0; round < 5; round++) { // the last one counts
      long start = System.nanoTime();
      for (int i = 0; i < 200; i++) openblas_nolapack.blas_set_num_threads(1 + i % 2);
      long middle = System.nanoTime();
      for (int i = 0; i < 200; i++) own.call(1 + i % 2);
      preset = (middle - start) / 200e3;
      pointer = (System.nanoTime() - middle) / 200e3;
    }
    System.out.printf("presets %s: blas_set_num_threads %.1f microseconds, openblas_set_num_threads %.2f%n", args[0], preset, pointer);
    if (preset < 50 || preset < 100 * pointer) throw new AssertionError("changed");
  }
}
JAVA
for version in 0.3.19-1.5.7 0.3.30-1.5.12; do
  mkdir "$dir/$version"
  platform=linux-x86_64
  cat > "$dir/$version/pom.xml" <<XML
<project>
<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
  <dependency><groupId>org.bytedeco</groupId><artifactId>openblas</artifactId><version>$version</version></dependency>
  <dependency><groupId>org.bytedeco</groupId><artifactId>openblas</artifactId><version>$version</version><classifier>$platform</classifier></dependency>
  <dependency><groupId>org.bytedeco</groupId><artifactId>javacpp</artifactId><version>${version#*-}</version><classifier>$platform</classifier></dependency>
</dependencies></project>
XML
  mvn -q -B -Dstyle.color=never -f "$dir/$version/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
    -Dmdep.outputFile="$dir/$version/classpath" > "$dir/maven" || { cat "$dir/maven"; exit 1; }
  java -Dorg.bytedeco.javacpp.cachedir="$dir/$version/cache" -cp "$(cat "$dir/$version/classpath")" "$dir/Finding.java" "$version"
done
echo "Expected: about the same time for both"
