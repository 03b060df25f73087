#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: reading a .npy file ignores `fortran_order`.
# Expected: the array that NumPy saved. The header of the format states the order of the numbers, and NumPy
#   writes True for every transposed or Fortran-ordered array.
# Seen: `createFromNpyFile`, `readNpy` and `createNpyFromByteArray` read the numbers row by row in any case:
#   [[0, 1, 2], [3, 4, 5]] becomes [[0, 3, 1], [4, 2, 5]].
# Why it matters: `np.save("w.npy", w.T)` is how weights of Keras or GPT-2 are converted to the layout of another
#   library. The shape is right, so the model runs, with scrambled weights.
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
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  /** What np.save writes for the matrix [[0, 1, 2], [3, 4, 5]] of float32. */
  static byte[] npy(boolean fortranOrder, float... numbers) throws Exception {
    String header = "{'descr': '<f4', 'fortran_order': " + (fortranOrder ? "True" : "False") + ", 'shape': (2, 3), }";
    while ((10 + header.length() + 1) % 64 != 0) header += " ";
    ByteBuffer rest = ByteBuffer.allocate(2 + header.length() + 1 + 4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    rest.putShort((short) (header.length() + 1)).put((header + "\n").getBytes(StandardCharsets.US_ASCII));
    for (float number : numbers) rest.putFloat(number);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(0x93);
    out.write("NUMPY\1\0".getBytes(StandardCharsets.US_ASCII));
    out.write(rest.array());
    return out.toByteArray();
  }

  public static void main(String[] args) throws Exception {
    INDArray c = Nd4j.createNpyFromByteArray(npy(false, 0, 1, 2, 3, 4, 5));
    INDArray f = Nd4j.createNpyFromByteArray(npy(true, 0, 3, 1, 4, 2, 5));
    System.out.println("ND4J 1.0.0-M2.1\nfortran_order False:\n" + c + "\nfortran_order True:\n" + f);
    if (!c.equals(Nd4j.arange(6).reshape(2, 3))) throw new AssertionError("changed: C order");
    if (!f.equals(Nd4j.createFromArray(new float[][] {{0, 3, 1}, {4, 2, 5}}))) throw new AssertionError("changed");
    System.out.println("Expected: 0, 1, 2 and 3, 4, 5 both times");
    System.out.println("Seen:     0, 3, 1 and 4, 2, 5 from the second file");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
