#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: joining `DataSet`s changes a label mask with one number per example.
# Expected: the masks concatenated: an example that is masked stays masked. A mask [examples, 1] for labels
#   [examples, classes] is the documented form, and `splitTestAndTrain` and `shuffle` keep it.
# Seen: `DataSet.merge`, and with it `batchBy`, `get(int[])` and `sample`, widens the mask to [examples, classes]
#   and fills it wrongly: 1, 0 becomes (1, 1), (0, 1), so that the masked example counts in part, or in full if
#   it follows a data set without a mask.
# Why it matters: a masked label says that the example has none (semi-supervised data, padding of the last
#   batch). After batching, the model trains on whatever is stored in its place.
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
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  static DataSet data(INDArray mask) {
    INDArray labels = Nd4j.createFromArray(new float[][] {{1, 0}, {1, 0}, {0, 1}, {0, 1}});
    return new DataSet(Nd4j.ones(4, 3), labels, null, mask);
  }

  static INDArray show(String what, DataSet data) {
    System.out.println(what + ":\n" + data.getLabelsMaskArray());
    return data.getLabelsMaskArray();
  }

  public static void main(String[] args) {
    INDArray mask = Nd4j.createFromArray(new float[][] {{1}, {0}, {1}, {1}});
    System.out.println("ND4J 1.0.0-M2.1: four examples of two classes, the second without a label");
    INDArray split = show("splitTestAndTrain(2)", data(mask).splitTestAndTrain(2).getTrain());
    INDArray batch = show("batchBy(2), first batch", data(mask).batchBy(2).get(0));
    INDArray merged = show("merged with four examples without a mask", DataSet.merge(List.of(data(mask), data(null))));
    if (split.columns() != 1 || split.getDouble(1) != 0) throw new AssertionError("changed: splitTestAndTrain");
    if (!batch.equals(Nd4j.createFromArray(new float[][] {{1, 1}, {0, 1}})))
      throw new AssertionError("changed: batchBy");
    if (merged.getDouble(0, 1) != 0 || merged.getDouble(1, 0) != 1 || merged.getDouble(1, 1) != 1)
      throw new AssertionError("changed: merge");
    System.out.println("Expected: 1, 0 in the first two rows each time");
    System.out.println("Seen:     (1, 1), (0, 1) after batchBy; (1, 0), (1, 1) after merge");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
