import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.cli.TokenTune;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.SafeTensorsWriter;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.Pooling;
import org.tokentune.objectives.Objectives;
import picocli.CommandLine;

/**
 * What families.sh runs: {@code GOLDEN DATA WORK STEPS SEED FAMILY...} trains the small models of
 * the golden files, with random word embeddings, and prints a line for each.
 */
class Families {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int WORDS = 2000;
  private static final List<String> SPECIAL = List.of("[PAD]", "[CLS]", "[SEP]", "[UNK]");

  public static void main(String[] arguments) throws IOException {
    Path golden = Path.of(arguments[0]);
    Path data = Path.of(arguments[1]);
    Path work = Path.of(arguments[2]);
    boolean learned = true;
    System.out.printf("%-14s %8s %8s %8s%n", "loss", "start", "all", "30%");
    for (String family : List.of(arguments).subList(5, arguments.length)) {
      Path model = work.resolve(family);
      ModelConfig config =
          make(golden.resolve(family), data, model, Long.parseLong(arguments[4]));
      List<Double> losses = new ArrayList<>();
      for (String[] run : new String[][] {{"1", "all"}, {arguments[3], "all"}, {arguments[3], "30%"}}) {
        losses.add(train(model, config, data, work.resolve("result.json"), run, arguments[4]));
      }
      System.out.printf(
          Locale.ROOT,
          "%-14s %8.3f %8.3f %8.3f%n",
          family,
          losses.get(0),
          losses.get(1),
          losses.get(2));
      double best = config.causal() ? 0.9 : 0.97; // of the loss at the start
      learned &= losses.get(1) < best * losses.get(0) && losses.get(2) < best * losses.get(0);
    }
    System.exit(learned ? 0 : 1);
  }

  /** Writes the model, with a vocabulary of words of its data. */
  private static ModelConfig make(Path golden, Path data, Path model, long seed)
      throws IOException {
    ObjectNode config = ModelFolder.config(golden).deepCopy();
    boolean causal = ModelConfig.read(config, golden.toString()).causal();
    Path text = data.resolve(causal ? "tinyshakespeare/input.txt" : "sst2/train.tsv");
    Map<String, Integer> words = words(text);
    config.put("vocab_size", words.size()).put("pad_token_id", 0).put("bos_token_id", 1);
    config.put("eos_token_id", 2).remove(List.of("id2label", "label2id", "architectures"));
    Files.createDirectories(model);
    JSON.writeValue(model.resolve("config.json").toFile(), config);
    JSON.writeValue(model.resolve("tokenizer.json").toFile(), tokenizer(words));
    JSON.writeValue(
        model.resolve("tokenizer_config.json").toFile(),
        Map.of(
            "tokenizer_class", "PreTrainedTokenizerFast",
            "pad_token", "[PAD]",
            "cls_token", "[CLS]",
            "sep_token", "[SEP]",
            "unk_token", "[UNK]"));
    ModelConfig sizes = ModelConfig.read(config, model.toString());
    Map<String, long[]> shapes =
        sizes
            .model(
                causal
                    ? new Head(Objectives.CAUSAL_LM, words.size(), Pooling.FIRST)
                    : new Head(Objectives.CLASSIFY, 3, Pooling.FIRST))
            .parameters();
    Random random = new Random(seed);
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    try (WeightSource weights = ModelFolder.weights(golden)) {
      for (String name : weights.names()) {
        long[] shape = weights.shape(name);
        long[] wanted = shapes.get(name);
        if (name.startsWith("classifier") && shape[0] == 3) {
          continue; // of three classes
        }
        tensors.put(
            name,
            wanted != null && wanted[0] != shape[0]
                ? table(words.size(), (int) shape[1], random)
                : weights.read(name));
      }
    }
    SafeTensorsWriter.write(model.resolve("model.safetensors"), tensors);
    return sizes;
  }

  private static INDArray table(int rows, int columns, Random random) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (0.1 * random.nextGaussian());
    }
    return Nd4j.create(values, new long[] {rows, columns}, 'c');
  }

  /** The most frequent words, after the special tokens. */
  private static Map<String, Integer> words(Path text) throws IOException {
    Map<String, Integer> counts = new LinkedHashMap<>();
    try (Stream<String> lines = Files.lines(text)) {
      lines.forEach(
          line -> {
            for (String word : line.split("[^A-Za-z0-9_]+")) {
              counts.merge(word, 1, Integer::sum);
            }
          });
    }
    counts.remove("");
    Map<String, Integer> ids = new LinkedHashMap<>();
    SPECIAL.forEach(word -> ids.put(word, ids.size()));
    for (String mark : List.of(".", ",", "!", "?", ":", ";", "'", "-")) {
      ids.put(mark, ids.size());
    }
    counts.entrySet().stream()
        .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder()))
        .limit(WORDS)
        .forEach(word -> ids.putIfAbsent(word.getKey(), ids.size()));
    return ids;
  }

  /** Words and marks, between [CLS] and [SEP]. */
  private static ObjectNode tokenizer(Map<String, Integer> words) throws IOException {
    ObjectNode json =
        (ObjectNode)
            JSON.readTree(
                """
                {"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
                 "pre_tokenizer": {"type": "Whitespace"}, "decoder": null,
                 "post_processor": {"type": "TemplateProcessing",
                  "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                   {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                  "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                   {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}},
                   {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                  "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
                   "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
                 "model": {"type": "WordLevel", "unk_token": "[UNK]"}}""");
    for (String word : SPECIAL) {
      json.withArray("added_tokens")
          .addObject()
          .put("id", words.get(word))
          .put("content", word)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
    }
    words.forEach(json.withObject("/model").withObject("/vocab")::put);
    return json;
  }

  /** Loss on the held-out rows. */
  private static double train(
      Path model, ModelConfig config, Path data, Path result, String[] run, String seed)
      throws IOException {
    String length = " --max-length " + Math.min(32, config.maxPositions());
    String options =
        config.causal()
            ? length + " --task lm --data " + data.resolve("tinyshakespeare/input.txt")
            : length + " --pooling mean --limit 10000 --data "
                + data.resolve("sst2/train.tsv")
                + " --validation "
                + data.resolve("sst2/test.tsv")
                + " --test "
                + data.resolve("sst2/test.tsv");
    String command =
        "train --batch-size 16 --learning-rate 3e-3 --warmup 20 --clip 1 --overwrite --steps %s --tokens %s --seed %s --model %s --output %s --json %s"
            .formatted(run[0], run[1], seed, model, model.resolveSibling("trained"), result);
    List<String> all = Stream.of((command + options).split(" +")).collect(Collectors.toList());
    java.io.PrintStream out = System.out;
    java.io.ByteArrayOutputStream log = new java.io.ByteArrayOutputStream();
    System.setOut(new java.io.PrintStream(log));
    CommandLine line = new CommandLine(TokenTune.class);
    line.setOut(new java.io.PrintWriter(log));
    int code = line.execute(all.toArray(String[]::new));
    System.setOut(out);
    if (code != 0) {
      System.out.println(log);
      throw new IOException(String.join(" ", all));
    }
    JsonNode json = JSON.readTree(result.toFile());
    return json.findValue("loss").asDouble();
  }
}
