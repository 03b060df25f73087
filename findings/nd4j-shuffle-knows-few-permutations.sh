#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: `DataSet.shuffle` and `Nd4j.shuffle` only exchange rows in pairs and miss most permutations.
# Expected: every order is equally likely, as with `Collections.shuffle`: 24 orders of 4 rows, and each row
#   stays in its place one time in four.
# Seen: over 300 seeds 4 rows come out in 2 orders, 2 rows are always swapped, 3 rows always become 0, 2, 1.
#   With an even number of rows none stays, and each row at an even place moves to an odd one and back.
# Why it matters: rows that alternate (positive, negative, positive, ...; question, answer) still alternate
#   after any shuffle, a random split of them repeats the pattern, and seeds differ less than one thinks.
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
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  static int[] shuffled(int rows, long seed) {
    INDArray x = Nd4j.arange(rows).reshape(rows, 1);
    DataSet data = new DataSet(x, x.dup());
    data.shuffle(seed);
    return data.getFeatures().toIntVector();
  }

  public static void main(String[] args) {
    System.out.println("ND4J 1.0.0-M2.1: orders of the rows over 300 seeds");
    long[] seeds = new Random(7).longs(300).toArray();
    for (int rows = 2; rows <= 4; rows++) {
      Set<String> seen = new TreeSet<>(), java = new TreeSet<>();
      for (long seed : seeds) {
        seen.add(Arrays.toString(shuffled(rows, seed)));
        List<Integer> list = Arrays.asList(new Integer[] {0, 1, 2, 3}).subList(0, rows);
        Collections.shuffle(list, new Random(seed));
        java.add(list.toString());
      }
      System.out.println(rows + " rows: " + seen + "; Collections.shuffle has " + java.size() + " orders");
      if (java.size() != (rows == 4 ? 24 : rows == 3 ? 6 : 2)) throw new AssertionError("Collections.shuffle");
      if (seen.size() != (rows == 4 ? 2 : 1)) throw new AssertionError("changed: " + rows + " rows");
    }
    int moved = 0;
    for (int j = 0; j < 20; j++) {
      int[] order = shuffled(100, seeds[j]);
      for (int i = 0; i < 100; i++) moved += (order[i] + i) % 2;
    }
    System.out.println("100 rows, 20 seeds: " + moved + " of 2000 rows went from an even place to an odd one or back");
    if (moved != 2000) throw new AssertionError("changed: even and odd places");
    System.out.println("Expected: 2, 6 and 24 orders, and about 1000 of 2000");
    System.out.println("Seen:     1, 1 and 2 orders, and 2000 of 2000");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
