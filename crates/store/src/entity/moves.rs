//! Moves. `finished_at` is zero while one stands.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "moves")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub environment_id: Uuid,
    pub app_id: Uuid,
    pub connector_id: Uuid,
    pub from_version: i32,
    pub to_version: i32,
    pub state: String,
    pub stage: String,
    pub reason: Option<String>,
    pub terms: String,
    pub canary: i64,
    pub outcome: Option<String>,
    pub revision: i32,
    pub begun_by: Uuid,
    pub begun_at: i64,
    pub stage_since: i64,
    pub moved_at: i64,
    pub finished_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
