package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Vectors of texts and rerankers, trained from the command line. */
class RelatedTextsCommandsTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/embed-mean");

  @TempDir private Path folder;
  private Path base;
  private Path pairs;
  private Path queries;

  @BeforeEach
  void writeFiles() throws IOException {
    base = folder.resolve("base");
    try (Stream<Path> files = Files.walk(GOLDEN)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = base.resolve(GOLDEN.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    pairs =
        write(
            "pairs.csv",
            "anchor,positive",
            i -> "w" + (4 + i % 50) + " w" + (40 + i % 31) + ",w" + (5 + i % 50) + " w" + (9 + i));
    queries =
        write(
            "queries.csv",
            "query,document,label",
            i -> "w" + (4 + i / 4) + ",w" + (4 + i / 4 + i % 4) + " w" + i + "," + (i % 4 / 3));
  }

  private Path write(String name, String header, IntFunction<String> row) throws IOException {
    return Files.writeString(
        folder.resolve(name),
        IntStream.range(0, 60)
            .mapToObj(row)
            .collect(Collectors.joining("\n", header + "\n", "\n")));
  }

  private Run train(Object... options) {
    List<Object> all = new ArrayList<>(List.of("train", "--model", base, "--batch-size", 8));
    all.addAll(Arrays.asList(options));
    Run run = Run.of(all.toArray());
    System.out.println(run.printed());
    return run;
  }

  /** The second half is resumed, and ends with the same bits. */
  private void resumesExactly(String file, Object... options) throws IOException {
    List<Object> all = new ArrayList<>(Arrays.asList(options));
    all.addAll(List.of("--epochs", 2, "--save-every", 7, "--keep", 9, "--tokens", "50%"));
    all.addAll(List.of("--learning-rate", 1e-3, "--output"));
    List<Object> whole = new ArrayList<>(all);
    whole.addAll(List.of(folder.resolve("whole"), "--overwrite"));
    assertEquals(0, train(whole.toArray()).code());
    List<Object> resumed = new ArrayList<>(all);
    resumed.addAll(List.of(folder.resolve("resumed"), "--overwrite", "--resume"));
    resumed.add(folder.resolve("whole/checkpoints/step-00000007"));
    assertEquals(0, train(resumed.toArray()).code());
    byte[] weights = Files.readAllBytes(folder.resolve("whole").resolve(file));
    assertArrayEquals(weights, Files.readAllBytes(folder.resolve("resumed").resolve(file)));
  }

  @Test
  void vectorsAreResumedExactly() throws IOException {
    resumesExactly("model.safetensors", "--task", "embed", "--data", pairs);
    Run embedded = Run.of("embed", "--model", folder.resolve("resumed"), "w5 w6");
    assertEquals(0, embedded.code(), embedded.printed());
  }

  @Test
  void streamedVectorsAreResumedExactly() throws IOException {
    Path large =
        Files.writeString(
            folder.resolve("large.csv"),
            IntStream.range(0, 40_000)
                .mapToObj(i -> "w" + i % 61 + " w" + i % 7 + ",w" + i % 53 + " w" + i % 11)
                .collect(Collectors.joining("\n", "anchor,positive\n", "\n")));
    Object[] stream = {"--task", "embed", "--data", large, "--stream", "--steps", 14};
    List<Object> all = new ArrayList<>(Arrays.asList(stream));
    all.addAll(List.of("--validation", pairs, "--test", pairs));
    resumesExactly("model.safetensors", all.toArray());
    rejected("triplet", "--task", "embed", "--data", large, "--stream", "--loss", "triplet");
  }

  @Test
  void adaptersOfVectorsAreResumedExactly() throws IOException {
    for (String weights : List.of("float32", "nf4")) {
      resumesExactly(
          "adapter_model.safetensors",
          "--task",
          "embed",
          "--data",
          pairs,
          "--lora",
          "r=2",
          "--weights",
          weights);
      scored("evaluate", "--data", pairs, "--weights", weights);
    }
  }

  private void scored(String command, Object... options) {
    List<Object> all = new ArrayList<>(List.of(command, "--model", base, "--adapter"));
    all.add(folder.resolve("resumed"));
    all.addAll(Arrays.asList(options));
    Run run = Run.of(all.toArray());
    System.out.println(run.printed());
    assertEquals(0, run.code());
    assertTrue(run.printed().contains("nDCG@10"), run.printed());
  }

  @Test
  void rerankersAreResumedExactly() throws IOException {
    Object[] rerank = {"--task", "rerank", "--data", queries, "--text", "query,document"};
    resumesExactly("model.safetensors", rerank);
    for (String weights : List.of("float32", "nf4")) {
      List<Object> adapters = new ArrayList<>(Arrays.asList(rerank));
      adapters.addAll(List.of("--lora", "r=2", "--weights", weights));
      resumesExactly("adapter_model.safetensors", adapters.toArray());
      scored("evaluate", "--data", queries, "--text", "query,document", "--weights", weights);
    }
  }

  private void rejected(String message, Object... options) {
    List<Object> all = new ArrayList<>(Arrays.asList(options));
    all.addAll(List.of("--steps", 1, "--output", folder.resolve("x"), "--overwrite"));
    Run run = train(all.toArray());
    assertTrue(run.code() == 1 || run.code() == 2, run.printed());
    assertTrue(run.printed().contains(message), run.printed());
    assertTrue(!run.printed().contains("\tat "), run.printed());
  }

  private Path lines(String name, String... lines) throws IOException {
    return Files.write(folder.resolve(name), List.of(lines));
  }

  @Test
  void saysWhatIsWrongWithRows() throws IOException {
    Path without =
        lines(
            "bad.jsonl",
            "{\"anchor\": \"w4\", \"positive\": \"w5\"}",
            "{\"anchor\": \"w6\", \"positive\": \" \"}");
    rejected("bad.jsonl, line 2 has no positive", "--task", "embed", "--data", without);
    Path missing =
        lines(
            "missing.jsonl",
            "{\"anchor\": \"w4\", \"positive\": \"w5\", \"negative\": \"w6\"}",
            "{\"anchor\": \"w6\", \"positive\": \"w7\"}");
    rejected("missing.jsonl, line 2 has no negative", "--task", "embed", "--data", missing);
    rejected(
        "has no column document", "--task", "embed", "--data", pairs, "--text", "anchor,document");
    rejected("must be 3", "--task", "embed", "--data", pairs, "--loss", "triplet");
    rejected("has no score", "--task", "embed", "--data", pairs, "--loss", "cosine");
    rejected(
        "--micro-batch must be at least 1", "--task", "embed", "--data", pairs, "--micro-batch", 0);
    rejected(
        "--matryoshka must be at least 1", "--task", "embed", "--data", pairs, "--matryoshka", 0);
    Path triplets = lines("triplets.csv", "a,p,n", "w4,w5,w6", "w7,w8,w9", "w6,w5,w8");
    rejected("must be 2 texts", "--task", "embed", "--data", triplets, "--loss", "cosent");
    Path many = lines("beyond.csv", "query,document,label", "w4,w5,1", "w4,w6,2", "w5,w6,0");
    rejected(
        "The row \"w4\" has the relevance 2",
        "--task",
        "rerank",
        "--data",
        many,
        "--validation",
        "none",
        "--text",
        "query,document");
    rejected(
        "has no column passage", "--task", "rerank", "--data", many, "--text", "query,passage");
  }

  @Test
  void namesModulesThatDoNotTrain() throws IOException {
    Path modules = base.resolve("modules.json");
    String list = Files.readString(modules);
    Files.writeString(
        modules,
        list.substring(0, list.lastIndexOf(']'))
            + ", {\"type\": \"sentence_transformers.models.Dropout\", \"path\": \"3_Dropout\"}]");
    Files.createDirectory(base.resolve("3_Dropout"));
    Files.writeString(base.resolve("3_Dropout/config.json"), "{\"dropout\": 0.3}");
    Path trained = folder.resolve("trained");
    Run run = train("--task", "embed", "--data", pairs, "--steps", 1, "--output", trained);
    assertEquals(0, run.code(), run.printed());
    assertTrue(run.printed().contains("lists a Dropout of vectors"), run.printed());
    assertTrue(Files.exists(trained.resolve("3_Dropout/config.json")));
    assertEquals(0, Run.of("embed", "--model", trained, "w5").code());
    for (String mode : List.of("max", "lasttoken")) {
      Files.writeString(
          base.resolve("1_Pooling/config.json"), "{\"pooling_mode\": \"" + mode + "\"}");
      Path pooled = folder.resolve(mode);
      Run other = train("--task", "embed", "--data", pairs, "--steps", 1, "--output", pooled);
      assertEquals(0, other.code(), other.printed());
      assertTrue(Files.readString(pooled.resolve("1_Pooling/config.json")).contains(mode));
      assertEquals(0, Run.of("embed", "--model", pooled, "w5").code());
    }
  }
}
