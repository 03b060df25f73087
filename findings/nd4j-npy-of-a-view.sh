#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `Nd4j.writeAsNumpy` and `Nd4j.toNpyByteArray` write the wrong numbers for a view.
# Expected: the numbers that the view shows; `Nd4j.write` stores those.
# Seen: the file has the shape of the view and the numbers from the start of the array it was taken from: column
#   1 is written as the first numbers of row 0, a transpose is written untransposed. `dup('c')` first avoids it.
# Why it matters: anyone who exports one weight, layer or example of a larger array to compare it in Python gets
#   a valid file with the wrong numbers in it.
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
  static INDArray throughNumpy(String what, INDArray array) throws Exception {
    INDArray back = Nd4j.createNpyFromByteArray(Nd4j.toNpyByteArray(array));
    System.out.println(what + "\n" + array + "\nis read back as\n" + back);
    return back;
  }

  public static void main(String[] args) throws Exception {
    INDArray x = Nd4j.arange(6).reshape(2, 3);
    System.out.println("ND4J 1.0.0-M2.1");
    INDArray column = throughNumpy("column 1", x.getColumn(1));
    INDArray turned = throughNumpy("the transpose", x.transpose());
    INDArray copy = throughNumpy("a copy of the transpose", x.transpose().dup('c'));
    if (column.getDouble(0) != 0 || column.getDouble(1) != 1) throw new AssertionError("changed: a column");
    if (turned.getDouble(0, 1) != 1 || turned.getDouble(2, 0) != 4) throw new AssertionError("changed: a transpose");
    if (!copy.equals(x.transpose())) throw new AssertionError("changed: a copy");
    System.out.println("Expected: each array is read back as it was");
    System.out.println("Seen:     only the copy is");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
