package org.tokentune.text;

import static org.tokentune.Arguments.required;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.WeightedAdapter;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.OnLong;
import org.tokentune.datasets.TextTokenizer;
import org.tokentune.datasets.TokenBatches;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.Pooling;
import org.tokentune.models.SentenceModules;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.nn.Parameters;
import org.tokentune.objectives.Objectives;
import org.tokentune.train.InferenceEngine;
import org.tokentune.train.StepInputs;

/**
 * Turns texts into vectors, as sentence-transformers does (Reimers and Gurevych, Sentence-BERT,
 * 2019): with the pooling, further layers, maximal length and prompts that the model's {@code
 * modules.json} and the files beside it say. Without them it is the mean of the last layer's hidden
 * states over the text's tokens, normalised.
 */
public final class SentenceEncoder implements AutoCloseable {

  /** PyTorch's {@code normalize} divides by no less. */
  private static final double SMALLEST_LENGTH = 1e-12;

  private final TextTokenizer tokenizer;
  private final OnLong onLong;
  private final SentenceModules modules;
  private final InferenceEngine engine;
  private final String hidden;
  private final int dimension;

  private SentenceEncoder(
      TextTokenizer tokenizer,
      OnLong onLong,
      SentenceModules modules,
      InferenceEngine engine,
      String hidden,
      int dimension) {
    this.tokenizer = tokenizer;
    this.onLong = onLong;
    this.modules = modules;
    this.engine = engine;
    this.hidden = hidden;
    this.dimension = dimension;
  }

  /**
   * Opens the encoder of a model, which cuts long texts.
   *
   * @param maxLength tokens to which texts are cut; null: to those that {@code modules.json} goes
   *     with, or without it as many as the model takes
   * @throws BadInputException if the files say something of the vectors that is not supported
   */
  public static SentenceEncoder open(ModelFiles files, Integer maxLength) {
    return open(files, maxLength, OnLong.CUT, WeightStorage.FLOAT32);
  }

  /**
   * Opens the encoder of a model.
   *
   * @param maxLength tokens of a text, as above
   * @param onLong what becomes of longer texts; the pooled vectors of windows are averaged
   * @param storage of the encoder's weights
   * @throws BadInputException if the files say something of the vectors that is not supported
   */
  public static SentenceEncoder open(
      ModelFiles files, Integer maxLength, OnLong onLong, WeightStorage storage) {
    return open(files, maxLength, onLong, storage, List.of());
  }

  /**
   * Opens the encoder of a model with trained adapters on it.
   *
   * @param adapters folders that {@link EmbeddingModel#saveAdapter} or PEFT wrote; several add up
   * @throws BadInputException as above, if adapters were made for another base, or if they have
   *     trained layers behind the encoder
   */
  public static SentenceEncoder open(
      ModelFiles files,
      Integer maxLength,
      OnLong onLong,
      WeightStorage storage,
      List<WeightedAdapter> adapters) {
    required(files, "files");
    required(onLong, "onLong");
    required(storage, "storage");
    required(adapters, "adapters");

    ModelConfig config = ModelConfig.read(files.config(), files.name());
    SentenceModules modules = SentenceModules.read(files);
    // Of the graph only the encoder runs; the smallest head completes it.
    TransformerModel model = config.model(new Head(Objectives.TOKEN, 1, Pooling.MEAN));
    Parameters parameters = ParameterLoader.loadEncoder(model, files.weights(), storage, 0);
    if (!adapters.isEmpty()) {
      if (modules.hasDense()) {
        throw new BadSettingsException(
            "%s has layers behind its encoder, which adapters cannot be put on for vectors; save the"
                + " adapters merged (--merge).",
            files.name());
      }
      Adapter adapter = adapter(adapters, model, parameters);
      model = adapter.model();
      parameters = adapter.parameters();
    }
    String hidden = ModelGraph.hidden(config.layers());
    TextModel.checkLength(files, config, maxLength);
    int width = modules.width(config.hidden());
    int longest = modules.longest(maxLength, config.maxPositions());
    return new SentenceEncoder(
        TextTokenizer.open(files, longest, true, modules.lowerCase()),
        onLong,
        modules,
        new InferenceEngine(model, parameters, List.of(hidden)),
        hidden,
        modules.dimension() == null ? width : Math.min(modules.dimension(), width));
  }

  private static Adapter adapter(
      List<WeightedAdapter> adapters, TransformerModel model, Parameters parameters) {
    List<Adapter> read = new ArrayList<>();
    for (WeightedAdapter one : adapters) {
      try (AdapterFolder folder = AdapterFolder.open(one.folder())) {
        read.add(folder.read(model, parameters));
      }
    }
    return adapters.size() == 1 && adapters.get(0).weight() == 1
        ? read.get(0)
        : Adapter.combined(
            read, adapters.stream().map(WeightedAdapter::weight).toList(), Adapter.Combination.CAT);
  }

  /**
   * A text's vector, and what it was made of.
   *
   * @param vector [{@link SentenceEncoder#dimension()}]
   * @param tokens that were read, those of a prompt included
   * @param cut tokens that were not read, as the text is too long; 0 if it is not
   */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Embedded(float[] vector, int tokens, int cut) {}

  /** The size of vectors. */
  public int dimension() {
    return dimension;
  }

  /** A vector for every text, in their order, with the model's default prompt if it has one. */
  public List<float[]> embed(List<String> texts) {
    return embed(texts, null);
  }

  /**
   * A vector for every text, in their order.
   *
   * @param prompt the name of one of the model's prompts, or a text to put before each text; null:
   *     the model's default prompt, if it has one
   */
  public List<float[]> embed(List<String> texts, String prompt) {
    return embedCounted(texts, prompt).stream().map(Embedded::vector).toList();
  }

  /**
   * The same with the numbers of tokens.
   *
   * @param prompt as in {@link #embed(List, String)}
   */
  public List<Embedded> embedCounted(List<String> texts, String prompt) {
    required(texts, "texts");

    String before = modules.prompt(prompt);
    int promptLength = before.isEmpty() ? 0 : tokenizer.promptLength(before);
    List<Example> examples = texts.stream().map(text -> new Example(before + text, null)).toList();
    List<List<TextTokenizer.Tokens>> tokenised =
        tokenizer.encodeAll(examples, Objectives.CLASSIFY, onLong, promptLength);
    List<TokenBatches.Row> rows = new ArrayList<>();
    List<Integer> textOf = new ArrayList<>();
    List<Integer> windows = new ArrayList<>();
    for (List<TextTokenizer.Tokens> tokens : tokenised) {
      for (TextTokenizer.Tokens window : tokens) {
        rows.add(new TokenBatches.Row(window.ids(), window.typeIds(), null));
        textOf.add(windows.size());
      }
      windows.add(tokens.size());
    }
    double[][] sums = new double[windows.size()][];
    TokenBatches batches = TokenBatches.byTokens(rows, Objectives.TOKEN);
    int[] order = batches.order();
    for (int next = 0; batches.hasNext(); ) {
      int first = next;
      IntFunction<String> names = row -> '"' + texts.get(textOf.get(order[first + row])) + '"';
      MultiDataSet batch = batches.next();
      int length = (int) batch.getFeatures(0).size(1);
      float[][] states = engine.rows(StepInputs.features(batch), hidden, names);
      for (int row = 0; row < batch.getFeatures(0).size(0); row++) {
        int window = order[next++];
        int from = row * length;
        float[][] tokens = Arrays.copyOfRange(states, from, from + rows.get(window).ids().length);
        int text = textOf.get(window);
        sums[text] = sum(sums[text], modules.pooled(tokens, promptLength));
      }
    }
    return IntStream.range(0, sums.length)
        .mapToObj(
            i -> {
              double[] mean = Arrays.stream(sums[i]).map(sum -> sum / windows.get(i)).toArray();
              int read = tokenised.get(i).stream().mapToInt(window -> window.ids().length).sum();
              return new Embedded(modules.vector(mean), read, cut(examples.get(i), read));
            })
        .toList();
  }

  /** Only texts that fill all that is read are counted again. */
  private int cut(Example text, int read) {
    return onLong == OnLong.CUT && read == tokenizer.longest()
        ? tokenizer.excess(text, Objectives.CLASSIFY)
        : 0;
  }

  private static double[] sum(double[] one, double[] other) {
    return one == null
        ? other
        : IntStream.range(0, one.length).mapToDouble(i -> one[i] + other[i]).toArray();
  }

  /**
   * Cosines between the vectors of two lists, as sentence-transformers' {@code util.cos_sim}; a
   * vector of zeros has the cosine 0 with all.
   *
   * @return [one.size()][other.size()]
   * @throws BadInputException if the vectors have different lengths
   */
  public static double[][] similarities(List<float[]> one, List<float[]> other) {
    required(one, "one");
    required(other, "other");
    double[][] cosines = new double[one.size()][other.size()];
    double[] lengths = other.stream().mapToDouble(vector -> length(vector)).toArray();
    for (int i = 0; i < cosines.length; i++) {
      double length = length(one.get(i));
      for (int j = 0; j < lengths.length; j++) {
        cosines[i][j] = product(one.get(i), other.get(j)) / length / lengths[j];
      }
    }
    return cosines;
  }

  private static double length(float[] vector) {
    return Math.max(SMALLEST_LENGTH, Math.sqrt(product(vector, vector)));
  }

  private static double product(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new BadDataException(
          "A vector of %d numbers cannot be compared with one of %d; embed both with one model.",
          a.length, b.length);
    }
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  @Override
  public void close() {
    engine.close();
    tokenizer.close();
  }
}
