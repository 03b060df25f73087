package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.tokentune.BadSettingsException;
import org.tokentune.Printable;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.OnLong;
import org.tokentune.formats.ModelFiles;
import org.tokentune.text.SentenceEncoder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Embeds texts. */
@Command(
    name = "embed",
    sortOptions = false,
    description = {
      "Turns texts into vectors as sentence-transformers does, by the model's modules.json; without",
      "one a vector is the mean of the encoder's last hidden states, normalised.",
      "Prints a JSON array for every text, in their order; with --similar or --query cosines instead."
    },
    mixinStandardHelpOptions = true)
final class EmbedCommand implements Callable<Integer> {

  /** Texts that a query finds, unless the user says how many. */
  private static final int TOP = 10;

  @Option(
      names = "--model",
      paramLabel = "NAME|DIR",
      defaultValue = "all-minilm-l6-v2",
      description = "A model of the zoo, an address or a folder; default ${DEFAULT-VALUE}.")
  private String model;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description = {
        "Most tokens of a text; default: those of the model's sentence-transformers settings, without",
        "these as many as the model takes."
      })
  private Integer maxLength;

  @Mixin private OnLongOption onLong;

  @Option(
      names = "--prompt",
      paramLabel = "NAME|TEXT",
      description = {
        "Put one of the model's prompts before every text, by its name, or this text; default: the",
        "model's default prompt, if it has one."
      })
  private String prompt;

  @Option(
      names = "--similar",
      description = {
        "Print how similar the texts are: a line for every text with its cosine with each of them, and",
        "the text."
      })
  private boolean similar;

  @Option(
      names = "--query",
      paramLabel = "TEXT",
      description = "Print the texts most similar to TEXT: rank, cosine, text.")
  private String query;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      description = "Texts that --query prints; default 10.")
  private Integer topK;

  @Option(
      names = "--adapter",
      paramLabel = "DIR[:WEIGHT]",
      description = {
        "Adapters on the model: a folder that train --task embed --lora wrote, or PEFT. Several add up,",
        "each with its weight (default 1)."
      })
  private List<String> adapters = List.of();

  @Mixin private StoredWeights weights;
  @Mixin private InputTexts input;
  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    check();
    PrintWriter out = spec.commandLine().getOut();
    OnLong treatment = onLong.given() == null ? OnLong.CUT : onLong.given();
    List<String> texts = input.rows().stream().map(Example::text).toList();
    try (ModelFiles files = Models.open(model);
        SentenceEncoder encoder =
            SentenceEncoder.open(
                files,
                maxLength,
                treatment,
                weights.storage(),
                adapters.stream().map(WeightedAdapter::parse).toList())) {
      List<float[]> vectors = encoder.embed(texts, prompt);
      ObjectNode result = JsonOption.object();
      result.put("model", model);
      if (similar) {
        table(texts, SentenceEncoder.similarities(vectors, vectors), out, result);
      } else if (query != null) {
        List<float[]> asked = encoder.embed(List.of(query), prompt);
        nearest(texts, SentenceEncoder.similarities(asked, vectors)[0], out, result);
      } else {
        vectors(texts, vectors, out, result);
      }
      out.flush();
      json.write(result);
    }
    return 0;
  }

  private void check() {
    json.check();
    if (similar && query != null) {
      throw new BadSettingsException(
          "--similar compares the texts with each other and --query with one; leave one of them out.");
    }
    if (topK != null && query == null) {
      throw new BadSettingsException("--top-k is for --query; give that, or leave it out.");
    }
    if (topK != null && topK < 1) {
      throw new BadSettingsException("--top-k must be at least 1, got %d.", topK);
    }
  }

  private static void vectors(
      List<String> texts, List<float[]> vectors, PrintWriter out, ObjectNode result) {
    ArrayNode all = result.putArray("embeddings");
    for (int i = 0; i < texts.size(); i++) {
      out.println(Arrays.toString(vectors.get(i)));
      ObjectNode node = all.addObject();
      node.put("text", texts.get(i));
      ArrayNode values = node.putArray("vector");
      for (float value : vectors.get(i)) {
        values.add(value);
      }
    }
  }

  private static void table(
      List<String> texts, double[][] cosines, PrintWriter out, ObjectNode result) {
    texts.forEach(result.putArray("texts")::add);
    ArrayNode rows = result.putArray("cosines");
    for (int i = 0; i < cosines.length; i++) {
      ArrayNode row = rows.addArray();
      for (double cosine : cosines[i]) {
        out.print(number(cosine) + "\t");
        row.add(cosine);
      }
      out.println(Printable.line(texts.get(i)));
    }
  }

  private void nearest(List<String> texts, double[] cosines, PrintWriter out, ObjectNode result) {
    ArrayNode found = result.put("query", query).putArray("texts");
    int[] order =
        IntStream.range(0, cosines.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -cosines[i]))
            .mapToInt(Integer::intValue)
            .limit(topK == null ? TOP : topK)
            .toArray();
    for (int rank = 0; rank < order.length; rank++) {
      String text = texts.get(order[rank]);
      out.println(rank + 1 + "\t" + number(cosines[order[rank]]) + "\t" + Printable.line(text));
      found.addObject().put("text", text).put("cosine", cosines[order[rank]]);
    }
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }
}
