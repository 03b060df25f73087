package org.tokentune.dl4j;

import static org.tokentune.Arguments.required;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.samediff.SDVertexParams;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.tokentune.BadFileException;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.LoraModel;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.WeightSource;
import org.tokentune.models.Head;
import org.tokentune.models.ModelConfig;
import org.tokentune.models.ModelGraph;
import org.tokentune.models.Pooling;
import org.tokentune.models.TransformerModel;
import org.tokentune.objectives.Objectives;
import org.tokentune.plan.ActivationCheckpointing;
import org.tokentune.plan.ActivationPrecision;
import org.tokentune.select.RandomTokens;
import org.tokentune.select.TokenAmount;
import org.tokentune.select.TokenSelection;
import org.tokentune.select.TokenSelector;
import org.tokentune.train.MemorySettings;
import org.tokentune.train.Trainable;

/**
 * A pretrained encoder or decoder in a {@code ComputationGraph}, with gradients through selected
 * tokens only.
 *
 * <p>Inputs: token ids, attention mask and, if an encoder is to see other ones than 0, token types,
 * all [batch, length] of whole numbers in any data type; texts are padded on the right, and every
 * batch may have a length of its own. If the ids are its only input, the data set's mask of
 * features is the attention mask, as in DL4J's own networks over sequences. Output: [batch,
 * hidden], the row that a classifier's last layer reads: of an encoder BERT's pooler output or what
 * its family has in that place, of a decoder the last token's hidden state after the last norm.
 * Parameters have Hugging Face's names with {@code -} for {@code _}; to DL4J matrices are weights,
 * which it regularises, and vectors are biases.
 *
 * <p>The network's parameters, and so its gradients, its updater's state and the files it is saved
 * in, are those that train. If some do not ({@link #withTrainable}, {@link #withLora}), the vertex
 * holds them, and a saved network names the model that they come from, which must be there when it
 * is loaded.
 *
 * <p>The vertex draws the selected tokens by itself, from its seed and the network's counts of
 * epochs and iterations, and so are the dropout masks; both apply only in training. So a network
 * that was saved and loaded continues as the original would.
 *
 * <p>It does not run in DL4J's SameDiff session but on this project's execution plans: forward,
 * which keeps nothing, and again forward and backward, when the gradient of the network's loss has
 * come down to it. The latter computes in the network's array of gradients, and needs memory of its
 * own ({@link #bytes}) only for what does not fit there.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public final class EncoderVertex extends SameDiffVertex {

  private static final long serialVersionUID = 2;

  private static final String NOTHING = "none";

  @JsonProperty private String encoder;
  @JsonProperty private Pooling pooling;
  @JsonProperty private String tokens;
  @JsonProperty private int minTokens;
  @JsonProperty private long seed;

  // Null unless they are set, as in networks that older versions saved.
  @JsonProperty private String trainable;
  @JsonProperty private String lora;
  @JsonProperty private ActivationCheckpointing checkpointing;
  @JsonProperty private ActivationPrecision precision;
  @JsonProperty private Long budget;
  @JsonProperty private String base;
  @JsonProperty private String baseChecksum;

  private transient WeightSource weights;
  private transient Map<String, INDArray> frozen;

  /** For DL4J, which reads configurations; use {@link #of(ModelFiles, String)}. */
  EncoderVertex() {}

  /**
   * A model's layers below its head.
   *
   * @param files to be closed only after the network's {@code init()}, which reads the weights
   * @param pooling of an encoder the first token or the mean, of a decoder the last token or the
   *     mean
   * @param tokens which tokens carry gradient: {@code all}, a count, or a share such as {@code
   *     25%}; of the latter two {@code span:} before them takes tokens side by side
   * @param minTokens least tokens of a text, where a share is given
   * @param seed of the selection and of dropout, of a pooler that the weights do not have, and of
   *     new adapters
   * @throws BadInputException for a pooling that the model does not have, or tokens that cannot be
   *     selected
   */
  public static EncoderVertex of(
      ModelFiles files, Pooling pooling, String tokens, int minTokens, long seed) {
    required(files, "files");
    required(pooling, "pooling");
    required(tokens, "tokens");

    EncoderVertex vertex = new EncoderVertex();
    vertex.encoder = files.config().toString();
    vertex.pooling = pooling;
    vertex.tokens = tokens;
    vertex.minTokens = minTokens;
    vertex.seed = seed;
    vertex.weights = files.weights();
    vertex.base = Bases.address(files);
    vertex.model();
    vertex.selector();
    return vertex;
  }

  /**
   * The same with the first token's row of an encoder and the last one's of a decoder, at least
   * {@link TokenAmount#DEFAULT_FLOOR} tokens of a text, and seed 42.
   */
  public static EncoderVertex of(ModelFiles files, String tokens) {
    required(files, "files");
    boolean decoder = ModelConfig.read(files.config(), files.name()).causal();
    return of(files, decoder ? Pooling.LAST : Pooling.FIRST, tokens, TokenAmount.DEFAULT_FLOOR, 42);
  }

  /**
   * The same, with only some of the parameters trained; the others take no memory for gradients and
   * updater state.
   *
   * @param parameters {@code all}, {@code none}, {@code head}, {@code no-embeddings}, {@code
   *     last:n} for the last n layers and what comes after them, or patterns of Hugging Face's
   *     names: see {@link Trainable#parse}
   * @throws BadInputException if there are no such parameters
   */
  public EncoderVertex withTrainable(String parameters) {
    required(parameters, "parameters");

    EncoderVertex copy = clone();
    copy.trainable = parameters.strip();
    copy.changed();
    return copy;
  }

  /**
   * The same with low-rank adapters, which train in place of the weights (LoRA: Hu et al., 2021).
   * If the configuration names no modules that are trained whole, the pooler is.
   *
   * @throws BadInputException if it matches no layer
   */
  public EncoderVertex withLora(LoraConfig config) {
    required(config, "config");

    EncoderVertex copy = clone();
    LoraConfig whole = config.trained().isEmpty() ? config.withHead(baseModel()) : config;
    try {
      copy.lora = new ObjectMapper().writeValueAsString(whole);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
    copy.changed();
    return copy;
  }

  /**
   * The same with other activations stored between the forward and the backward pass. Attention
   * weights are recomputed unless this says otherwise, which changes no number.
   */
  public EncoderVertex withMemory(MemorySettings settings) {
    required(settings, "settings");

    EncoderVertex copy = clone();
    copy.checkpointing = settings.checkpointing();
    copy.precision = settings.precision();
    copy.budget = settings.budget();
    return copy;
  }

  /** Checks what trains, after a change to it. */
  private void changed() {
    if (lora != null && trainable != null) {
      throw new BadSettingsException(
          "With adapters the trained modules are those of the LoraConfig; leave withTrainable out, or"
              + " use LoraConfig.withTrained.");
    }
    frozen = null;
    trained(model());
  }

  /**
   * Memory that the vertex of a network takes by itself: weights that are not trained, and what its
   * passes so far needed beyond the network's own arrays.
   *
   * @throws BadSettingsException if the network has no such vertex
   */
  public static long bytes(ComputationGraph network, String vertex) {
    required(network, "network");
    required(vertex, "vertex");

    if (!(network.getVertex(vertex) instanceof EncoderGraphVertex running)) {
      throw new BadSettingsException("The network has no EncoderVertex %s.", vertex);
    }
    Map<String, INDArray> held = ((EncoderVertex) running.getConfig()).frozen;
    return running.arenaBytes()
        + held.values().stream()
            .mapToLong(array -> array.length() * array.dataType().width())
            .sum();
  }

  TransformerModel model() {
    TransformerModel model = baseModel();
    if (lora == null) {
      return model;
    }
    try {
      return new LoraModel(model, new ObjectMapper().readValue(lora, LoraConfig.class));
    } catch (JsonProcessingException e) {
      throw new BadFileException(
          e, "The adapters in the network's configuration are damaged; save it again.");
    }
  }

  private TransformerModel baseModel() {
    if (encoder == null || pooling == null || tokens == null) {
      throw new BadFileException(
          "The network's configuration lacks encoder, pooling or tokens of an EncoderVertex; save it"
              + " again.");
    }
    try {
      ModelConfig config = ModelConfig.read(new ObjectMapper().readTree(encoder), "The model");
      return config.model(new Head(Objectives.FEATURE_EXTRACTION, config.hidden(), pooling));
    } catch (JsonProcessingException e) {
      throw new BadFileException(e, "The encoder's configuration is damaged; download it again.");
    }
  }

  /** Shapes of the trained parameters of a model, by name. */
  Map<String, long[]> trained(TransformerModel model) {
    Predicate<String> trains = trains(model);
    Map<String, long[]> trained = new LinkedHashMap<>(model.parameters());
    trained.keySet().removeIf(trains.negate());
    return trained;
  }

  private Predicate<String> trains(TransformerModel model) {
    if (model instanceof LoraModel adapted) {
      return adapted::trains;
    }
    if (trainable == null || trainable.equals(NOTHING)) {
      return name -> trainable == null;
    }
    return Trainable.parse(trainable, model);
  }

  MemorySettings memory() {
    return checkpointing == null
        ? MemorySettings.of(ActivationCheckpointing.ATTENTION)
        : new MemorySettings(checkpointing, precision, budget);
  }

  /** Columns of its output. */
  public int hidden() {
    return baseModel().config().hidden();
  }

  private TokenSelector selector() {
    return RandomTokens.parse(tokens, minTokens, pooling != Pooling.LAST);
  }

  /** The tokens of a batch that carry gradient. */
  TokenSelection select(TokenInputs inputs, int epoch, int iteration) {
    int[][] labels = pooling == Pooling.LAST ? lastForced(inputs) : null;
    return selector().select(inputs.lengths(), inputs.length(), labels, seed, epoch, iteration);
  }

  private static int[][] lastForced(TokenInputs inputs) {
    int[][] labels = new int[inputs.lengths().length][inputs.length()];
    for (int row = 0; row < labels.length; row++) {
      labels[row][inputs.lengths()[row] - 1] = TokenSelector.FORCED;
    }
    return labels;
  }

  /**
   * DL4J's name of a parameter: what is before its last {@code _} would be taken for a vertex's.
   */
  static String key(String name) {
    return name.replace('_', '-');
  }

  long seed() {
    return seed;
  }

  @Override
  public void defineParametersAndInputs(SDVertexParams params) {
    params.clear();
    params.defineInputs(ModelGraph.INPUT_IDS, ModelGraph.ATTENTION_MASK, ModelGraph.TOKEN_TYPE_IDS);
    trained(model())
        .forEach(
            (name, shape) -> {
              if (shape.length > 1) {
                params.addWeightParam(key(name), shape);
              } else {
                params.addBiasParam(key(name), shape);
              }
            });
  }

  @Override
  public void initializeParameters(Map<String, INDArray> params) {
    if (weights == null) {
      throw new BadSettingsException(
          "The encoder has no weights to begin with; make its vertex of a model's files, or load"
              + " the network with its parameters.");
    }
    Bases.Weights read = Bases.read(model(), weights, seed);
    Map<String, INDArray> values = read.arrays();
    values.forEach(
        (name, array) -> {
          if (params.containsKey(key(name))) {
            params.get(key(name)).assign(array);
          }
        });
    values.keySet().removeAll(trained(read.model()).keySet());
    frozen = values;
    baseChecksum = values.isEmpty() ? null : Bases.checksum(values);
  }

  /** The weights that are not the network's. */
  private Map<String, INDArray> frozen() {
    if (frozen == null) {
      TransformerModel model = model();
      if (trained(model).keySet().equals(model.parameters().keySet())) {
        frozen = Map.of();
      } else {
        frozen = Bases.reload(model, trained(model).keySet(), base, weights, seed, baseChecksum);
      }
    }
    return frozen;
  }

  @Override
  public GraphVertex instantiate(
      ComputationGraph graph,
      String name,
      int idx,
      INDArray paramsView,
      boolean initializeParams,
      DataType networkDatatype) {
    if (networkDatatype != DataType.FLOAT) {
      throw new BadSettingsException(
          "The encoder does not compute in %s; set the network's data type to FLOAT.",
          networkDatatype);
    }
    setName(name);
    checkParameters();
    EncoderLayer layer = new EncoderLayer(this, name, paramsView, networkDatatype);
    if (initializeParams) {
      initializeParameters(layer.paramTable());
    }
    return new EncoderGraphVertex(this, graph, name, idx, layer, frozen(), networkDatatype);
  }

  /** DL4J reads parameters' names and shapes from a saved network, and trusts them. */
  private void checkParameters() {
    SDVertexParams own = new SDVertexParams();
    defineParametersAndInputs(own);
    org.nd4j.shade.jackson.databind.ObjectMapper mapper = NeuralNetConfiguration.mapper();
    if (!mapper.valueToTree(own).equals(mapper.valueToTree(getVertexParams()))) {
      throw new BadFileException(
          "The parameters of the vertex %s are not those of its encoder; save the network again.",
          getName());
    }
  }

  /** Not asked for: the vertex runs on plans. */
  @Override
  public SDVariable defineVertex(
      SameDiff sameDiff,
      Map<String, SDVariable> layerInput,
      Map<String, SDVariable> paramTable,
      Map<String, SDVariable> maskVars) {
    throw new UnsupportedOperationException("an EncoderVertex runs on execution plans");
  }

  @Override
  public int minVertexInputs() {
    return 1;
  }

  @Override
  public int maxVertexInputs() {
    return 3;
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType... vertexInputs) {
    return InputType.feedForward(hidden());
  }

  @Override
  public Pair<INDArray, MaskState> feedForwardMaskArrays(
      INDArray[] maskArrays, MaskState currentMaskState, int minibatchSize) {
    if (maskArrays != null && Arrays.stream(maskArrays).anyMatch(Objects::nonNull)) {
      throw new BadSettingsException(
          "The data set has masks of features; give the attention mask as the encoder's second input"
              + " instead.");
    }
    return new Pair<>(null, currentMaskState);
  }

  @Override
  public EncoderVertex clone() {
    EncoderVertex copy = new EncoderVertex();
    copy.encoder = encoder;
    copy.pooling = pooling;
    copy.tokens = tokens;
    copy.minTokens = minTokens;
    copy.seed = seed;
    copy.trainable = trainable;
    copy.lora = lora;
    copy.checkpointing = checkpointing;
    copy.precision = precision;
    copy.budget = budget;
    copy.base = base;
    copy.baseChecksum = baseChecksum;
    copy.weights = weights;
    copy.frozen = frozen;
    copy.setName(getName());
    copy.setRegularization(getRegularization());
    copy.setRegularizationBias(getRegularizationBias());
    copy.setUpdater(getUpdater());
    copy.setBiasUpdater(getBiasUpdater());
    copy.setGradientNormalization(getGradientNormalization());
    copy.setGradientNormalizationThreshold(getGradientNormalizationThreshold());
    copy.setDataType(getDataType());
    return copy;
  }

  /** All that is saved and that this class adds. */
  private List<Object> settings() {
    return Arrays.asList(
        encoder,
        pooling,
        tokens,
        minTokens,
        seed,
        trainable,
        lora,
        checkpointing,
        precision,
        budget,
        base,
        baseChecksum);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EncoderVertex that
        && super.equals(other)
        && settings().equals(that.settings());
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), settings());
  }
}
