package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.SentiWordNet;

/** The commands from one end to the other, on a real encoder and a few real texts. */
class TokenTuneTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  private Path glosses(String name, int from, int to) throws IOException {
    List<String> lines = new ArrayList<>(List.of("text\tlabel"));
    for (Example row : SentiWordNet.load(42).train().subList(from, to)) {
      lines.add(row.text() + "\t" + row.label());
    }
    return Files.write(folder.resolve(name), lines);
  }

  private JsonNode json(String name) throws IOException {
    return JSON.readTree(folder.resolve(name).toFile());
  }

  @Test
  void picksATaskOfGlueByName() throws IOException {
    Path mrpc = Path.of("../datasets/src/test/resources/glue/mrpc");
    Path model = folder.resolve("model");
    Run trained =
        Run.of(
            "train",
            "--data",
            "mrpc=" + mrpc,
            "--epochs",
            1,
            "--output",
            model,
            "--json",
            folder.resolve("train.json"));
    System.out.println(trained.printed());
    assertEquals(0, trained.code(), trained.printed());
    assertTrue(trained.printed().contains("GLUE scores mrpc by accuracy"), trained.printed());
    assertEquals(
        "[\"not_equivalent\",\"equivalent\"]", json("train.json").get("labels").toString());
    assertTrue(json("train.json").has("f1") && json("train.json").has("matthews"));
    Run evaluated =
        Run.of("evaluate", "--model", model, "--data", "mrpc=" + mrpc.resolve("dev.tsv"));
    assertEquals(0, evaluated.code(), evaluated.printed());
    assertTrue(evaluated.printed().contains("(1 rows)"), evaluated.printed());

    refused(Run.of("train", "--data", "merpc=" + mrpc), "There is no task merpc; write");
    refused(Run.of("train", "--data", "rte=" + mrpc), "train.tsv is not a file of rte");
    refused(
        Run.of("train", "--data", "mrpc=" + mrpc, "--task", "regress"),
        "mrpc is classify, not regress; leave --task out.");
    refused(Run.of("train", "--data", "mrpc=" + mrpc, "--label", "x"), "leave --text and --label");
    refused(Run.of("train", "--data", "mrpc=" + folder.resolve("none")), "There is no file");
  }

  @Test
  void answersQuestions() throws IOException {
    String question =
        "{\"id\": \"q%d\", \"question\": \"What rang?\", \"answers\": [{\"text\": \"bell\", \"answer_start\": 4}]}";
    Path squad =
        file(
            "squad.json",
            "{\"data\": [{\"paragraphs\": [{\"context\": \"The bell rang at noon.\", \"qas\": ["
                + IntStream.range(0, 20)
                    .mapToObj(i -> question.formatted(i))
                    .collect(Collectors.joining(","))
                + "]}]}]}");
    Path model = folder.resolve("model");
    Run trained =
        Run.of(
            "train",
            "--task",
            "qa",
            "--data",
            squad,
            "--steps",
            12,
            "--batch-size",
            6,
            "--output",
            model,
            "--json",
            folder.resolve("train.json"));
    System.out.println(trained.printed());
    assertEquals(0, trained.code(), trained.printed());
    assertEquals(1, json("train.json").path("exact_match").asDouble());
    Run evaluated = Run.of("evaluate", "--model", model, "--data", squad);
    assertTrue(evaluated.printed().contains("exact match 100.0%, F1 100.0% (20 rows)"));
    Path input = file("in.csv", "question,context\nWhat rang?,The bell rang at noon.\n");
    Run predicted =
        Run.of("predict", "--model", model, "--input", input, "--text", "question,context");
    assertTrue(predicted.printed().startsWith("bell\tWhat rang?"), predicted.printed());
    refused(Run.of("predict", "--model", model, "What rang?"), "no text to answer it from");
  }

  @Test
  void trainsEvaluatesPredictsAndEmbeds() throws IOException {
    Path train = glosses("train.tsv", 0, 72);
    Path test = glosses("test.tsv", 72, 96);
    Path model = folder.resolve("model");
    Run trained =
        Run.of(
            "train",
            "--data",
            train,
            "--test",
            test,
            "--epochs",
            1,
            "--batch-size",
            16,
            "--output",
            model,
            "--json",
            folder.resolve("train.json"));
    System.out.println(trained.printed());
    assertEquals(0, trained.code(), trained.printed());
    assertTrue(trained.printed().contains("Confusion matrix"));
    assertTrue(trained.printed().contains("The model is in " + model));
    JsonNode result = json("train.json");
    assertEquals("test", result.path("evaluated_on").asText());
    assertEquals(5, result.path("steps").asInt());
    assertEquals(24, result.path("rows").asInt());
    JsonNode memory = result.path("memory");
    assertTrue(memory.path("predicted").asLong() > 0);
    assertEquals(memory.path("predicted"), memory.path("used"));
    assertEquals(22_713_986L * 4, memory.path("parameters").asLong());
    assertEquals(2 * memory.path("parameters").asLong(), memory.path("optimizer_state").asLong());
    assertTrue(trained.printed().contains("MB predicted"));

    Run evaluated =
        Run.of("evaluate", "--model", model, "--data", test, "--json", folder.resolve("eval.json"));
    assertEquals(0, evaluated.code(), evaluated.printed());
    for (String field : List.of("accuracy", "macro_f1", "confusion", "labels", "rows")) {
      assertTrue(json("eval.json").has(field), field);
      assertEquals(result.get(field), json("eval.json").get(field), field);
    }

    Path input = Files.writeString(folder.resolve("input.csv"), "text\n\"good, kind\"\nvile\n");
    Run predicted =
        Run.of(
            "predict", "--model", model, "--input", input, "--json", folder.resolve("pred.json"));
    assertEquals(0, predicted.code(), predicted.printed());
    assertEquals(2, predicted.printed().lines().count());
    JsonNode prediction = json("pred.json").at("/predictions/0");
    assertEquals("good, kind", prediction.path("text").asText());
    JsonNode scores = prediction.path("scores");
    assertEquals(1, scores.path("negative").asDouble() + scores.path("positive").asDouble(), 1e-6);

    Run unknown =
        Run.of("evaluate", "--model", model, "--data", file("bad.csv", "text,label\nx,y\n"));
    refused(unknown, "labels that the model does not know: [y]; it knows [negative, positive]");
    String longText = "word ".repeat(600);
    refused(
        Run.of("predict", "--model", model, "--on-long", "refuse", longText),
        "602 tokens is longer than the 512 that fit");
    Run cut = Run.of("predict", "--model", model, longText);
    assertTrue(
        cut.printed()
            .contains("1 of 1 texts is longer than 512 tokens, the longest 602; it is cut"),
        cut.printed());

    byte[] tokenizer = Files.readAllBytes(model.resolve("tokenizer.json"));
    byte[] weights = Files.readAllBytes(model.resolve("model.safetensors"));
    Files.write(model.resolve("tokenizer.json"), Arrays.copyOf(tokenizer, 1000));
    refused(Run.of("predict", "--model", model, "x"), "tokenizer.json is damaged");
    Files.write(model.resolve("tokenizer.json"), tokenizer);
    Files.write(model.resolve("model.safetensors"), Arrays.copyOf(weights, 100_000));
    refused(Run.of("predict", "--model", model, "x"), "model.safetensors");
    Files.delete(model.resolve("model.safetensors"));
    refused(Run.of("predict", "--model", model, "x"), "has no model.safetensors");
  }

  /** A class that the split gives to validation alone is trained on; of a file it is named. */
  @Test
  void everyClassOfTheDataIsTrainedOn() throws IOException {
    String rows =
        IntStream.range(0, 40)
            .mapToObj(i -> "text " + i + "," + (i < 20 ? "a" : "c" + i) + "\n")
            .collect(Collectors.joining());
    Path data = file("rare.csv", "text,label\n" + rows);
    Path model = folder.resolve("model");
    Object[] end = {
      "--steps", 1, "--output", model, "--overwrite", "--json", folder.resolve("train.json")
    };
    Run trained = train(end, "--data", data, "--validation", "50%");
    System.out.println(trained.printed());
    assertEquals(0, trained.code(), trained.printed());
    assertEquals(21, json("train.json").get("labels").size());
    assertTrue(
        trained.printed().contains("are used for training instead, because no other row has"));

    Path other = file("other.csv", "text,label\nx,a\ny,b\nz,b\n");
    refused(
        train(end, "--data", data, "--validation", other),
        "other.csv: 2 of 3 rows have labels that the model does not know: [b]; it knows [a, c20, ");
    refused(train(end, "--data", data, "--test", other), "other.csv: 2 of 3 rows have labels");
  }

  /** The adapters alone, on their base, score as the merged model does. */
  @Test
  void trainsAdapters() throws IOException {
    Path train = glosses("train.tsv", 0, 64);
    Path test = glosses("test.tsv", 64, 96);
    for (String merge : List.of("--merge", "--json")) {
      Run trained =
          Run.of(
              Stream.concat(
                      Stream.of(
                          "train",
                          "--lora",
                          "r=4,alpha=8,dropout=0.05,targets=query+value",
                          "--data",
                          train,
                          "--test",
                          test,
                          "--epochs",
                          1,
                          "--batch-size",
                          16,
                          "--learning-rate",
                          2e-3,
                          "--output",
                          folder.resolve("tuned" + merge)),
                      merge.equals("--merge")
                          ? Stream.of(merge)
                          : Stream.of(merge, folder.resolve("train.json")))
                  .toArray());
      System.out.println(trained.printed());
      assertEquals(0, trained.code(), trained.printed());
    }
    long adapters = 6 * 2 * (4 * 384 + 384 * 4); // r = 4 on 2 layers in each of 6 blocks
    long head = 384 * 384 + 384 + 2 * 384 + 2; // pooler and classifier
    JsonNode result = json("train.json");
    assertEquals(2 * 4 * (adapters + head), result.at("/memory/optimizer_state").asLong());
    Path alone = folder.resolve("tuned--json");
    assertFalse(Files.exists(alone.resolve("model.safetensors")));
    JsonNode written = json("tuned--json/adapter_config.json");
    assertEquals(
        "sentence-transformers/all-MiniLM-L6-v2", written.get("base_model_name_or_path").asText());
    assertEquals("[\"pooler\",\"classifier\"]", written.get("modules_to_save").toString());
    refused(
        Run.of("predict", "--model", alone, "x"),
        "holds adapters, without the model that they were trained on (sentence-transformers/all-MiniLM-L6");
    Object[][] models = {
      {"--model", folder.resolve("tuned--merge")},
      {"--model", "all-minilm-l6-v2", "--adapter", alone}
    };
    for (Object[] model : models) {
      Run evaluated =
          Run.of(
              Stream.of(
                      new Object[] {"evaluate"},
                      model,
                      new Object[] {"--data", test, "--json", folder.resolve("eval.json")})
                  .flatMap(Arrays::stream)
                  .toArray());
      assertEquals(0, evaluated.code(), evaluated.printed());
      assertEquals(result.get("confusion"), json("eval.json").get("confusion"));
      assertEquals(result.get("loss").asDouble(), json("eval.json").get("loss").asDouble(), 1e-5);
      Run predicted =
          Run.of(
              Stream.of(new Object[] {"predict"}, model, new Object[] {"good, kind"})
                  .flatMap(Arrays::stream)
                  .toArray());
      System.out.print(predicted.printed());
      assertEquals(0, predicted.code(), predicted.printed());
    }
    refused(
        Run.of("predict", "--model", "bge-small-en-v1.5", "--adapter", alone, "x"),
        "was made for another base: target_modules names bert.encoder.layer.10.attention.self.query,"
            + " but its adapters end with block 5");
    refused(Run.of("train", "--lora", "r=0"), "rank r must be at least 1, got 0");
    refused(
        Run.of("train", "--lora", "targets=q_proj"),
        "the layers are bert.encoder.layer.*.attention");
    refused(Run.of("train", "--lora", "r=2", "--trainable", "head"), "--trainable has no effect");
    refused(Run.of("train", "--merge"), "--merge without --lora");
  }

  @Test
  void embedsAlikeWhatMeansAlike() throws IOException {
    Run run =
        Run.of(
            "embed",
            "A man is playing a guitar.",
            "Someone plays an instrument.",
            "The stock market fell sharply today.",
            "--json",
            folder.resolve("embed.json"));
    assertEquals(0, run.code(), run.printed());
    JsonNode vectors = json("embed.json").path("embeddings");
    double alike = dot(vectors.get(0).path("vector"), vectors.get(1).path("vector"));
    double different = dot(vectors.get(0).path("vector"), vectors.get(2).path("vector"));
    System.out.printf("cosine of alike texts %.3f, of different ones %.3f%n", alike, different);
    assertEquals(1, dot(vectors.get(0).path("vector"), vectors.get(0).path("vector")), 1e-5);
    assertTrue(alike > 0.5 && different < 0.2);
  }

  private static double dot(JsonNode a, JsonNode b) {
    double sum = 0;
    for (int i = 0; i < a.size(); i++) {
      sum += a.get(i).asDouble() * b.get(i).asDouble();
    }
    return sum;
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  /** Exit code 1 with a sentence at the end, or 2 with a sentence and a hint; no stack trace. */
  private static void refused(Run run, String expected) {
    List<String> lines = run.printed().lines().toList();
    String message = lines.get(lines.size() - run.code());
    System.out.println(run.code() + ": " + message);
    assertTrue(run.code() == 1 || run.code() == 2, run.printed());
    assertTrue(message.contains(expected), run.printed());
    assertFalse(run.printed().contains("\tat "), run.printed());
  }

  @Test
  void badInputGetsASentence() throws IOException {
    Path good = glosses("good.tsv", 0, 20);
    Path out = folder.resolve("out");
    Path one = file("one.csv", "text,label\na,x\nb,x\nc,x\n");
    Path empty = file("empty.csv", "text,label\n");
    Object[] end = {"--output", out};
    refused(train(end, "--data", "nothing.csv"), "no file nothing.csv");
    refused(train(end, "--data", "sentiwordnets"), "the built-in data set is sentiwordnet");
    refused(train(end, "--data", good, "--text", "body"), "no column body");
    refused(train(end, "--data", good, "--label", "9"), "no column 9");
    refused(train(end, "--data", empty), "no rows");
    refused(train(end, "--data", one), "only 'x'");
    refused(train(end, "--data", good, "--validation", "0%"), "share of 0%");
    refused(train(end, "--data", good, "--validation", "none.csv"), "none.csv");
    refused(train(end, "--data", good, "--tokens", "0"), "Tokens 0");
    refused(train(end, "--data", good, "--tokens", "101%"), "Tokens 101%");
    refused(train(end, "--data", good, "--tokens", "some"), "Tokens some");
    refused(train(end, "--data", good, "--min-tokens", "0"), "at least 0");
    refused(train(end, "--data", good, "--epochs", "0"), "--epochs must be at least 1, got 0.");
    refused(
        train(end, "--data", good, "--batch-size", "0"), "--batch-size must be at least 1, got 0.");
    refused(train(end, "--data", good, "--learning-rate", "-1"), "--learning-rate must be above 0");
    refused(train(end, "--data", good, "--dropout", "1"), "--dropout must be");
    refused(train(end, "--data", good, "--max-length", "513"), "--max-length must be 3 to 512");
    refused(train(end, "--data", good, "--limit", "0"), "limit");
    refused(train(end, "--data", good, "--trainable", "nothing.*"), "No parameter");
    refused(train(end, "--data", good, "--task", "guess"), "--task");
    refused(train(end, "--data", good, "--model", "all-minilm"), "[all-minilm-l6-v2, ");
    refused(train(end, "--data", good, "--model", "no/folder"), "no folder or file no/folder");
    refused(train(end, "--data", good, "--json", folder.resolve("no/x.json")), "x.json");
    refused(
        train(end, "--data", good, "--learning-rate", "1e30", "--batch-size", "4"), "The loss is");
    assertTrue(Files.readString(out.resolve("log.jsonl")).contains("broken_rows"));
    refused(Run.of("train", "--data", good, "--output", good), "is a file");
    refused(
        Run.of("train", "--data", good, "--output", good.resolve("below")), "cannot be created");
    refused(Run.of("train", "--data", good, "--output", folder), "do not belong to a model");
    refused(Run.of("predict", "--model", "all-minilm-l6-v2", "x"), "train one on it first");
    refused(Run.of("predict", "--model", out), "TEXT");
    refused(Run.of("evaluate", "--data", good), "--model");
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(
          List.of("empty.csv", "good.tsv", "one.csv", "out"), // there the log of what broke
          files.map(path -> path.getFileName().toString()).sorted().toList());
    }
  }

  private static Run train(Object[] end, Object... arguments) {
    List<Object> all = new ArrayList<>(List.of("train"));
    all.addAll(List.of(arguments));
    all.addAll(List.of(end));
    return Run.of(all.toArray());
  }
}
