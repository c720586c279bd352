//! The one task that owns the [`Drain`]: it reads the clock, asks signaling who is left, and tells operators and the service
//! manager.

use std::time::{Duration, Instant};

use signaling::Transport;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep_until;

use super::{Drain, Ending, Occupancy, Output, Progress, Times};
use crate::systemd;

/// Orders that wait. Each is done in the time signaling takes for an answer.
const ORDERS: usize = 16;

/// The way to the task; clones are ways to the same one.
#[derive(Debug, Clone)]
pub(crate) struct Drainer {
    orders: mpsc::Sender<Order>,
    ending: watch::Receiver<Option<Ending>>,
}

/// The drain is over and the process about to end: nothing can be done about it any more.
#[derive(Debug)]
pub(crate) struct TooLate;

#[derive(Debug)]
enum Order {
    /// For so long at most, if that is said.
    Begin(Option<Duration>, oneshot::Sender<Progress>),
    Undo(oneshot::Sender<Progress>),
    Tell(oneshot::Sender<Progress>),
}

impl Drainer {
    /// Starts the task. Without another wish a drain ends after `deadline`.
    pub(crate) fn spawn(transport: Transport, deadline: Duration) -> Self {
        let (orders, received) = mpsc::channel(ORDERS);
        let (ended, ending) = watch::channel(None);
        let task = Task { drain: Drain::default(), transport, deadline, ended };
        tokio::spawn(task.run(received));
        Self { orders, ending }
    }

    /// Begins, or if it has begun, sets another deadline.
    pub(crate) async fn begin(&self, deadline: Option<Duration>) -> Result<Progress, TooLate> {
        self.order(|reply| Order::Begin(deadline, reply)).await
    }

    pub(crate) async fn undo(&self) -> Result<Progress, TooLate> {
        self.order(Order::Undo).await
    }

    pub(crate) async fn progress(&self) -> Result<Progress, TooLate> {
        self.order(Order::Tell).await
    }

    /// Returns when the process shall end.
    pub(crate) async fn ended(&mut self) -> Option<Ending> {
        self.ending.wait_for(Option::is_some).await.ok().and_then(|ending| *ending)
    }

    async fn order(&self, order: impl FnOnce(oneshot::Sender<Progress>) -> Order) -> Result<Progress, TooLate> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(order(reply)).await.map_err(|_| TooLate)?;
        answer.await.map_err(|_| TooLate)
    }
}

struct Task {
    drain: Drain,
    transport: Transport,
    deadline: Duration,
    ended: watch::Sender<Option<Ending>>,
}

impl Task {
    /// Until the drain is over, or nobody can give orders any more.
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        while self.ended.borrow().is_none() {
            let due = self.drain.poll_look();
            let look = async {
                match due {
                    Some(due) => sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => return,
                },
                () = look => self.look().await,
            }
            self.hand_out().await;
        }
    }

    async fn obey(&mut self, order: Order) {
        let reply = match order {
            Order::Begin(deadline, reply) => {
                self.drain.handle_begin(deadline, self.deadline, now());
                reply
            }
            Order::Undo(reply) => {
                self.drain.handle_undo();
                reply
            }
            Order::Tell(reply) => reply,
        };
        // Before the answer: whoever has it knows that no room begins any more.
        self.hand_out().await;
        let left = self.left().await;
        let mut progress = self.drain.progress(now());
        progress.left = left.unwrap_or(progress.left);
        let _ = reply.send(progress);
    }

    async fn look(&mut self) {
        let left = self.left().await;
        self.drain.handle_look(left, now());
    }

    async fn left(&self) -> Option<Occupancy> {
        let gauges = self.transport.core_counts().await?.gauges;
        Some(Occupancy { rooms: gauges.active_rooms, participants: gauges.participants })
    }

    async fn hand_out(&mut self) {
        while let Some(output) = self.drain.poll_output() {
            match output {
                Output::SetDraining(draining) => {
                    // Fails only when signaling has ended, and with it all calls.
                    let _ = self.transport.set_draining(draining).await;
                    if draining {
                        tracing::info!("draining: no room begins any more");
                    } else {
                        tracing::info!("not draining any more");
                        systemd::tell_serving();
                    }
                }
                Output::Report(progress) => {
                    let Progress { left: Occupancy { rooms, participants }, times } = progress;
                    let Times { remaining, .. } =
                        times.unwrap_or(Times { elapsed: Duration::ZERO, remaining: Duration::ZERO });
                    tracing::info!(rooms, participants, remaining = remaining.as_secs(), "draining");
                    systemd::tell_draining(&progress.left, remaining);
                }
                Output::End(ending) => {
                    match ending {
                        Ending::Empty => tracing::info!("drained: all have left"),
                        Ending::Cut(Occupancy { rooms, participants }) => {
                            tracing::warn!(rooms, participants, "drained: the deadline cuts calls");
                        }
                    }
                    self.ended.send_replace(Some(ending));
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the shell of the drain")]
fn now() -> Instant {
    Instant::now()
}
