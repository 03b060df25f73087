#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `equals` compares with an absolute tolerance of 1e-5, and equal arrays have different hash
# codes.
# Expected: equal numbers, as `Arrays.equals`, `List.equals` and NumPy's `array_equal` compare, and equal hash
#   codes, as `Object.equals` demands. For "nearly equal" there is `equalsWithEps`.
# Seen: [1e-6, 2e-6] equals [9e-6, -3e-6] and equals zeros; the hash codes differ, so a HashSet keeps both.
# Why it matters: `assertEquals(expected, actual)` is how a JVM test compares arrays. Gradients, learning-rate
#   steps and weights of a fine-tuning run are often below 1e-5: the test passes whatever they are, with the
#   wrong sign too.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/pom.xml" <<'XML'
<project>
<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
  <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId>
    <version>1.0.0-M2.1</version></dependency>
  <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId>
    <version>1.0.0-M2.1</version><classifier>linux-x86_64</classifier></dependency>
  <dependency><groupId>org.bytedeco</groupId><artifactId>openblas</artifactId>
    <version>0.3.19-1.5.7</version><classifier>linux-x86_64</classifier></dependency>
  <dependency><groupId>org.bytedeco</groupId><artifactId>javacpp</artifactId>
    <version>1.5.7</version><classifier>linux-x86_64</classifier></dependency>
  <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/Finding.java" <<'JAVA'
import java.util.Set;
import java.util.HashSet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  public static void main(String[] args) {
    INDArray x = Nd4j.createFromArray(1e-6f, 2e-6f), y = Nd4j.createFromArray(9e-6f, -3e-6f), zeros = Nd4j.zeros(2);
    System.out.println("ND4J 1.0.0-M2.1: x = 1e-6, 2e-6; y = 9e-6, -3e-6");
    System.out.println("x.equals(y): " + x.equals(y) + ", x.equals(zeros): " + x.equals(zeros));
    Set<INDArray> set = new HashSet<>();
    set.add(x);
    System.out.println("a HashSet of x contains y: " + set.contains(y) + "; hash codes equal: "
        + (x.hashCode() == y.hashCode()));
    if (!x.equals(y) || !x.equals(zeros)) throw new AssertionError("changed: equals");
    if (x.hashCode() == y.hashCode()) throw new AssertionError("changed: hashCode");
    System.out.println("Expected: not equal");
    System.out.println("Seen:     equal, with different hash codes");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
