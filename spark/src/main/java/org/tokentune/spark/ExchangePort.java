package org.tokentune.spark;

import java.io.IOException;
import java.util.List;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientBootstrap;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.crypto.AuthClientBootstrap;
import org.apache.spark.network.crypto.AuthServerBootstrap;
import org.apache.spark.network.netty.SparkTransportConf;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.TransportServer;
import org.apache.spark.network.server.TransportServerBootstrap;
import org.apache.spark.network.util.TransportConf;
import scala.Option;

/**
 * A port of this process and its connections to those of others, by Spark's own network library,
 * with the authentication and encryption that Spark is set to.
 */
final class ExchangePort implements AutoCloseable {

  private static final String MODULE = "tokentune";

  /** The first port that is tried; 0: any. */
  private static final String PORT = "spark.tokentune.port";

  /** Seconds in which a connection must be made. */
  private static final int CONNECTS = 60;

  /** Threads of the network library, on each side. */
  private static final int THREADS = 2;

  /** The longest time-out that the library can count, in seconds. */
  private static final long LONGEST = 1_000_000;

  private final TransportContext context;
  private final TransportServer server;
  private final TransportClientFactory clients;

  /**
   * Opens a port.
   *
   * @param host whose interface it is bound to
   * @param handler answers
   * @param seconds after which the driver gives up, and some time before a connection is taken for
   *     dead on which nothing comes that was asked for
   */
  ExchangePort(String host, RpcHandler handler, long seconds) {
    SparkEnv spark = SparkEnv.get();
    SecurityManager security = spark.securityManager();
    String module = "spark." + MODULE + ".io.";
    SparkConf conf =
        spark
            .conf()
            .clone()
            .set(module + "connectionTimeout", Math.min(2 * seconds + CONNECTS, LONGEST) + "s")
            .set(module + "connectionCreationTimeout", CONNECTS + "s");
    TransportConf transport =
        SparkTransportConf.fromSparkConf(
            conf, MODULE, THREADS, Option.empty(), Option.apply(security.getRpcSSLOptions()));
    boolean authenticates = security.isAuthenticationEnabled();
    List<TransportServerBootstrap> bootstraps =
        authenticates ? List.of(new AuthServerBootstrap(transport, security)) : List.of();
    List<TransportClientBootstrap> clientBootstraps =
        authenticates
            ? List.of(new AuthClientBootstrap(transport, conf.getAppId(), security))
            : List.of();
    context = new TransportContext(transport, handler);
    server = server(host, conf.getInt(PORT, 0), transport.portMaxRetries(), bootstraps);
    clients = context.createClientFactory(clientBootstraps);
  }

  /** A server at the first port that is free, of as many as Spark tries for its own. */
  private TransportServer server(
      String host, int first, int retries, List<TransportServerBootstrap> bootstraps) {
    for (int port = first; ; port++) {
      try {
        return context.createServer(host, port, bootstraps);
      } catch (Exception e) { // such as Netty's own, of which the library declares none
        if (!(e instanceof IOException) || port >= first + retries) {
          throw e;
        }
      }
    }
  }

  int number() {
    return server.getPort();
  }

  /** A connection to another port. */
  TransportClient connect(String host, int port) throws IOException, InterruptedException {
    return clients.createClient(host, port);
  }

  @Override
  public void close() {
    clients.close();
    server.close();
    context.close();
  }
}
