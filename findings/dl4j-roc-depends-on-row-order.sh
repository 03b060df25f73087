#!/usr/bin/env bash
# Deeplearning4j (nd4j-api) 1.0.0-M2.1: the exact ROC (0 thresholds) breaks ties by the order of the rows.
# Expected: an AUC of 0.5 whenever all scores are equal, since equal scores cannot rank anything. With 30
#   thresholds the class does return 0.5.
# Seen: the AUC is 1 if the positives come first, 0 if they come last, and 0.25 for an alternating order.
# Why it matters: test sets are often sorted by label, and a saturated or 16-bit model gives many equal scores:
#   a useless model can be reported with AUC 1.
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
import org.nd4j.evaluation.classification.ROC;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  static double auc(int thresholds, float... labels) {
    float[][] rows = new float[labels.length][1], scores = new float[labels.length][1];
    for (int i = 0; i < labels.length; i++) {
      rows[i][0] = labels[i];
      scores[i][0] = 0.5f;
    }
    ROC roc = new ROC(thresholds);
    roc.eval(Nd4j.createFromArray(rows), Nd4j.createFromArray(scores));
    System.out.println("labels " + java.util.Arrays.toString(labels) + ", " + thresholds + " thresholds: AUC "
        + roc.calculateAUC());
    return roc.calculateAUC();
  }

  public static void main(String[] args) {
    System.out.println("ND4J 1.0.0-M2.1: every score is 0.5");
    if (auc(0, 1, 1, 0, 0) != 1 || auc(0, 0, 0, 1, 1) != 0) throw new AssertionError("changed: the order");
    if (auc(0, 0, 1, 0, 1) != 0.25 || auc(30, 1, 1, 0, 0) != 0.5) throw new AssertionError("changed: AUC");
    System.out.println("Expected: AUC 0.5 in any order");
    System.out.println("Seen:     AUC 1, 0 or 0.25, depending on the order");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
