#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: a scalar NaN is not passed on by arithmetic with arrays.
# Expected: NaN, as Java and NumPy give: 1 * NaN and 1 + NaN.
# Seen: the scalar is replaced by 0.00001: `ones(2).mul(Double.NaN)` gives 0.00001 and `add(Double.NaN)` 1.00001.
#   Nothing is logged. An array of NaN is passed on.
# Why it matters: a loss, a learning rate or a gradient norm that has become NaN turns into a tiny or no update. The
#   training goes on, and no check for NaN in the arrays ever finds it.
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
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  public static void main(String[] args) {
    INDArray product = Nd4j.ones(2).mul(Double.NaN);
    INDArray sum = Nd4j.ones(2).add(Double.NaN);
    INDArray array = Nd4j.ones(2).mul(Nd4j.createFromArray(Float.NaN, Float.NaN));
    System.out.println("ND4J 1.0.0-M2.1: ones * NaN = " + product + ", ones + NaN = " + sum.getDouble(0));
    System.out.println("ones * an array of NaN = " + array);
    if (Math.abs(product.getDouble(0) - 1e-5) > 1e-9) throw new AssertionError("changed: the product");
    if (Math.abs(sum.getDouble(0) - 1.00001) > 1e-6) throw new AssertionError("changed: the sum");
    if (!Double.isNaN(array.getDouble(0))) throw new AssertionError("changed: the product with an array");
    System.out.println("Expected: NaN in all of them");
    System.out.println("Seen:     0.00001 and 1.00001 with the scalar; NaN with the array");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
