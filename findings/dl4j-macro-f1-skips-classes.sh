#!/usr/bin/env bash
# Deeplearning4j (nd4j-api) 1.0.0-M2.1: macro-averaged F1 leaves out every class that the model never predicts.
# Expected: the mean of `f1(0)`, `f1(1)` and `f1(2)`; scikit-learn documents average="macro" of f1_score as the
#   unweighted mean over all labels.
# Seen: a model that always answers class 0 of three equally frequent classes gets 0.5 instead of 0.167,
#   although `f1(1)` and `f1(2)` return 0. (`averageF1NumClassesExcluded()` tells how many classes were left
#   out.)
# Why it matters: where the best epoch is chosen by F1, a collapsed classifier beats one that has learnt
#   something about every class.
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
import org.nd4j.evaluation.EvaluationAveraging;
import org.nd4j.evaluation.classification.Evaluation;

class Finding {
  public static void main(String[] args) {
    Evaluation collapsed = new Evaluation(3), tries = new Evaluation(3);
    for (int i = 0; i < 30; i++) {
      int actual = i % 3;
      collapsed.eval(0, actual);
      tries.eval(i < 13 ? actual : (actual + 1) % 3, actual); // right 13 times, of all classes
    }
    double mean = (collapsed.f1(0) + collapsed.f1(1) + collapsed.f1(2)) / 3;
    double macro = collapsed.f1(EvaluationAveraging.Macro), other = tries.f1(EvaluationAveraging.Macro);
    System.out.println("ND4J 1.0.0-M2.1: three classes, ten rows each");
    System.out.printf("always class 0: F1 by class %.3f, %.3f, %.3f, their mean %.3f, macro F1 %.3f, accuracy %.3f%n",
        collapsed.f1(0), collapsed.f1(1), collapsed.f1(2), mean, macro, collapsed.accuracy());
    System.out.printf("right in 13 of 30: macro F1 %.3f, accuracy %.3f%n", other, tries.accuracy());
    if (Math.abs(macro - 0.5) > 1e-9 || Math.abs(mean - 1 / 6.0) > 1e-9) throw new AssertionError("changed: macro F1");
    if (macro <= other) throw new AssertionError("changed: the better model wins");
    System.out.println("Expected: the collapsed model has a macro F1 of 0.167 and loses");
    System.out.println("Seen:     it has 0.500 and wins");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
