// SPDX-License-Identifier: Apache-2.0
#include "tests/support/pgbouncer.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

std::string free_port() {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ::bind(made, any, size);
  ::getsockname(made, any, &size);
  ::close(made);
  return std::to_string(ntohs(address.sin_port));
}

}  // namespace

PgBouncer::PgBouncer(const TestCluster& cluster, int connections)
    : folder_((std::filesystem::temp_directory_path() / "sluice-pool-XXXXXX").string()),
      port_(free_port()) {
  if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  const std::string file = folder_ + "/pgbouncer.ini";
  std::ofstream(file) << "[databases]\n* = host=" << cluster.value("SLUICE_POSTGRES_SOCKET")
                      << " port=" << cluster.value("PGPORT") << " user=postgres\n"
                      << "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port_
                      << "\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
                      << "default_pool_size = " << connections << "\n";
  pid_ = ::fork();
  if (pid_ == 0) {
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int standard : {0, 1, 2}) ::dup2(nowhere, standard);
    // It refuses to be root. Debian keeps it where only root looks.
    ::setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", 1);
    if (::getuid() == 0) {
      ::execlp("pgbouncer", "pgbouncer", "-q", "-u", "postgres", file.c_str(), nullptr);
    } else {
      ::execlp("pgbouncer", "pgbouncer", "-q", file.c_str(), nullptr);
    }
    ::_exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (;;) {
    try {
      TestSession("host=127.0.0.1 user=postgres dbname=postgres port=" + port_).run("SELECT 1");
      return;
    } catch (const std::exception& error) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_ || std::chrono::steady_clock::now() > end) {
        throw std::runtime_error(std::string("no pgbouncer (see make setup): ") + error.what());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

PgBouncer::~PgBouncer() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  std::filesystem::remove_all(folder_);
}

}  // namespace sluice
