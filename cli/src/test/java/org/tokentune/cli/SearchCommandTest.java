package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Searches on a tiny encoder. */
class SearchCommandTest {

  private static final Path GOLDEN =
      Path.of("../tokentune-samediff/src/test/resources/golden/bert");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private Path found;

  @BeforeEach
  void writeFiles() throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), base.resolve(file));
    }
    Files.copy(
        Path.of("../datasets/src/test/resources/tokenizer.json"), base.resolve("tokenizer.json"));
    Files.writeString(
        folder.resolve("rows.csv"),
        IntStream.range(0, 60)
            .mapToObj(
                i ->
                    (i % 3 == 0 ? "the bad" : "the good")
                        + " cat".repeat(1 + i / 2)
                        + (i % 3 == 0 ? ",bad" : ",good"))
            .collect(Collectors.joining("\n", "text,label\n", "\n")));
    found = folder.resolve("found");
  }

  private Path settings(String lines) throws IOException {
    return Files.writeString(
        folder.resolve("search.yaml"),
        "model: %s\ndata: %s\n%s\n"
            .formatted(folder.resolve("base"), folder.resolve("rows.csv"), lines));
  }

  private static final String RANGES =
      """
      epochs: 3
      search:
        learning-rate: {log-uniform: [1e-4, 1e-1]}
        batch-size: [8, 16]""";

  private Run search(Path settings, Object... options) {
    List<Object> all = new ArrayList<>(List.of("search", "--config", settings, "--output", found));
    all.addAll(Arrays.asList(options));
    Run run = Run.of(all.toArray());
    System.out.println(run.printed());
    return run;
  }

  private JsonNode trials() throws IOException {
    return JSON.readTree(found.resolve("search.json").toFile()).path("trials");
  }

  /** As after a kill: the last trials are not in the file, and one was in the middle. */
  @Test
  void goesOnWithTheSameTrials() throws IOException {
    Path settings = settings(RANGES);
    assertEquals(0, search(settings, "--trials", 3).code());
    JsonNode whole = trials();
    assertEquals(3, whole.size());
    Path state = found.resolve("search.json");
    ObjectNode cut = (ObjectNode) JSON.readTree(state.toFile());
    ((ArrayNode) cut.path("trials")).remove(2);
    Files.writeString(state, cut.toString());
    Files.createDirectories(found.resolve("trial"));
    Files.writeString(found.resolve("trial").resolve("model.safetensors"), "half");
    Run resumed = search(settings, "--trials", 3);
    assertEquals(0, resumed.code());
    assertTrue(resumed.printed().contains("Going on after 2 trainings"), resumed.printed());
    for (int i = 0; i < 3; i++) {
      assertEquals(whole.path(i).path("options"), trials().path(i).path("options"));
      assertEquals(whole.path(i).path("loss"), trials().path(i).path("loss"));
    }
    assertEquals(4, Files.readAllLines(found.resolve("trials.csv")).size());

    double least =
        IntStream.range(0, 3)
            .mapToObj(i -> trials(whole, i))
            .sorted(
                (a, b) ->
                    Double.compare(b[0], a[0]) != 0
                        ? Double.compare(b[0], a[0])
                        : Double.compare(a[1], b[1]))
            .findFirst()
            .orElseThrow()[1];
    Path again = folder.resolve("again.json");
    Run best =
        Run.of(
            "train",
            "--config",
            found.resolve("best.yaml"),
            "--output",
            folder.resolve("model"),
            "--json",
            again);
    assertEquals(0, best.code(), best.printed());
    JsonNode evaluations = JSON.readTree(again.toFile()).path("evaluations");
    List<Double> losses = new ArrayList<>();
    evaluations.forEach(one -> losses.add(one.at("/validation/loss").asDouble()));
    assertTrue(losses.contains(least), least + " is not in " + losses);
    assertTrue(Files.exists(found.resolve("best/model.safetensors")));
    assertFalse(Files.exists(found.resolve("trial")));
    assertEquals(1, search(settings, "--seed", 7).code());
  }

  private static double[] trials(JsonNode trials, int i) {
    return new double[] {
      trials.path(i).path("score").asDouble(), trials.path(i).path("loss").asDouble()
    };
  }

  @Test
  void halvesSuccessively() throws IOException {
    assertEquals(
        0, search(settings(RANGES), "--trials", 4, "--method", "halving", "--by", "loss").code());
    List<String> rounds = new ArrayList<>();
    trials().forEach(one -> rounds.add(one.path("round") + ":" + one.path("length")));
    assertEquals(List.of("1:1", "1:1", "1:1", "1:1", "2:3"), rounds);
    double least = IntStream.range(0, 4).mapToDouble(i -> read(i)).min().orElseThrow();
    int kept = IntStream.range(0, 4).filter(i -> read(i) == least).findFirst().orElseThrow() + 1;
    assertEquals(kept, trials().path(4).path("trial").asInt());
    SearchRounds rounds27 = SearchRounds.halving(27, 9);
    assertEquals(List.of(27, 9, 3), rounds27.counts());
    assertEquals(List.of(1, 3, 9), rounds27.lengths());
    assertEquals(SearchRounds.single(2, 9), SearchRounds.halving(2, 9));
  }

  private double read(int trial) {
    try {
      return trials().path(trial).path("loss").asDouble();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void passesOverWhatDoesNotFit() throws IOException {
    Run run = search(settings(RANGES), "--trials", 3, "--memory-limit", "1kB");
    assertEquals(1, run.code());
    assertTrue(run.printed().contains("The training would take"), run.printed());
    assertTrue(run.printed().contains("No trial ended"), run.printed());
    assertEquals(3, trials().size());
    Run none = search(settings(RANGES), "--trials", 9, "--budget", "0.001s");
    assertTrue(none.printed().contains("The budget is used up"), none.printed());
  }

  @Test
  void drawsWhatTheRangesSay() throws IOException {
    SearchSpace space =
        SearchSpace.of(
            JSON.readTree(
                """
                {"a": {"uniform": [0, "1e-1"]}, "b": {"log-uniform": [1e-5, 1e-1]},
                 "c": {"integer": [1, 3]}, "d": ["x", "y"]}"""));
    int below = 0;
    List<String> integers = new ArrayList<>();
    for (int number = 1; number <= 1000; number++) {
      Map<String, String> drawn = space.draw(5, number);
      assertEquals(drawn, space.draw(5, number));
      double a = Double.parseDouble(drawn.get("a"));
      double b = Double.parseDouble(drawn.get("b"));
      assertTrue(a >= 0 && a <= 0.1 && b >= 1e-5 && b <= 1e-1, drawn.toString());
      below += b < 1e-3 ? 1 : 0;
      integers.add(drawn.get("c"));
      assertTrue(List.of("x", "y").contains(drawn.get("d")));
    }
    System.out.printf("%d of 1000 are in the lower half of the logarithms%n", below);
    assertTrue(below > 430 && below < 570);
    assertEquals(List.of("1", "2", "3"), integers.stream().distinct().sorted().toList());
  }

  @Test
  void badInputGetsASentence() throws IOException {
    refused("has no ranges to search", "epochs: 1");
    refused("cannot be {\"log-uniform\":[0,1]}", "search: {learning-rate: {log-uniform: [0, 1]}}");
    refused("cannot be {\"normal\":[0,1]}", "search: {learning-rate: {normal: [0, 1]}}");
    refused("search cannot draw rate", "search: {rate: [1, 2]}");
    refused("epochs is both given and searched", "epochs: 3\nsearch: {epochs: [1, 2]}");
    refused(
        "The first trial failed: --learning-rate must be above 0", "search: {learning-rate: [-1]}");
    refused("--budget must be a time", RANGES, "--budget", "soon");
    refused("--trials must be at least 1", RANGES, "--trials", 0);
    refused(
        "cannot be searched with --method halving",
        "search: {epochs: [1, 2]}",
        "--method",
        "halving");
  }

  private void refused(String message, String lines, Object... options) throws IOException {
    Run run = search(settings(lines), options);
    assertTrue(run.code() == 1 || run.code() == 2, run.printed());
    assertTrue(run.printed().contains(message), run.printed());
    assertFalse(run.printed().contains("\tat "), run.printed());
  }
}
